-- Restores. A whole dump of public and private ends with refreshing the view below, after its grants: a restore closes what
-- the target's default privileges opened, and hangs on the platform's tables what a dump leaves behind, by itself.

create function private.after_restore() returns table (object text, change text)
    language plpgsql volatile
    set search_path = ''
as $$
begin
    begin
        return query select a.object, a.change from private.apply_grants() as a;
    exception
        when others then
            raise warning 'grants are not what they should be, run private.apply_grants(): %', sqlerrm;
    end;
    begin
        perform private.attach_auth();
        perform private.attach_storage();
        perform private.attach_realtime();
    exception
        when others then
            raise warning 'not everything is on the platform''s tables, run public.doctor(): %', sqlerrm;
    end;
end;
$$;
comment on function private.after_restore() is
    'What private.restored runs when it is refreshed: apply_grants and the attach functions. An error becomes a warning, for a restore in one transaction would be lost by it; doctor() tells what is left. Owner only.';

create materialized view private.restored as
    select r.object, r.change from private.after_restore() as r;
comment on materialized view private.restored is
    'What the grants of this database had to become when it was restored; empty where none was changed. Refreshed by every restore of a whole dump.';
