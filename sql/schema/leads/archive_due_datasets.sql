-- A campaign that is over is put away by itself.

create function private.archive_due_datasets() returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_count integer;
begin
    update public.datasets d
        set archived_at = now()
        where d.archived_at is null
            and d.campaign_end_at < now() - make_interval(days => d.auto_archive_after_days)
            and d.hot_leads = 0
            and not exists (
                select from public.leads l
                where l.organization_id = d.organization_id
                    and l.dataset_id = d.id
                    and l.last_message_at >= now() - make_interval(days => d.auto_archive_after_days)
            );
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;
comment on function private.archive_due_datasets() is
    'For cron and the database owner. Archives datasets whose campaign ended, and in which nobody wrote, auto_archive_after_days ago; never one with HOT leads. Answers how many. Raises nothing.';
