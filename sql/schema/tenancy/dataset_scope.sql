-- The datasets that a membership or an invitation is limited to: checked when written, corrected when one is deleted.

create function private.datasets_are_deleted(organization uuid, datasets uuid[]) returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
begin
    return not exists (
        select from public.datasets d where d.organization_id = organization and d.id = any (datasets)
    );
end;
$$;
comment on function private.datasets_are_deleted(uuid, uuid[]) is
    'Whether the organization has none of these datasets. plpgsql, because the table is made in a later file.';

create function private.check_dataset_scope() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
declare
    max_datasets constant integer := 1000;
    v_added uuid[] := new.allowed_dataset_ids;
    v_found integer;
begin
    if array_ndims(new.allowed_dataset_ids) > 1 or cardinality(new.allowed_dataset_ids) > max_datasets then
        raise exception using
            errcode = '22023',
            message = format('allowed_dataset_ids must be a list of at most %s datasets', max_datasets);
    end if;
    if (select count(distinct d) from unnest(new.allowed_dataset_ids) as d) <> cardinality(new.allowed_dataset_ids) then
        raise exception using errcode = '22023', message = 'allowed_dataset_ids must name each dataset once, and no null';
    end if;
    if tg_op = 'UPDATE' then
        v_added := array(select d from unnest(new.allowed_dataset_ids) as d where d <> all (coalesce(old.allowed_dataset_ids, '{}')));
    end if;
    -- Locked, so that none of them is deleted before this row is there to be corrected.
    perform from public.datasets d
        where d.organization_id = new.organization_id and d.id = any (v_added)
        order by d.id
        for key share;
    get diagnostics v_found = row_count;
    if v_found <> cardinality(v_added) then
        raise exception using
            errcode = '22023',
            message = 'allowed_dataset_ids names a dataset that the organization does not have';
    end if;
    return new;
end;
$$;
comment on function private.check_dataset_scope() is
    'BEFORE INSERT OR UPDATE trigger: allowed_dataset_ids holds datasets of the row''s organization, each once, at most 1,000. Raises 22023 naming the column.';

create function private.remove_datasets_from_scopes() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- array(…) of nothing is '{}', no dataset; NULL would be all of them.
    update public.memberships m
    set allowed_dataset_ids = array(
        select d from unnest(m.allowed_dataset_ids) with ordinality as s (d, n) where d <> all (gone.ids) order by n
    )
    from (select r.organization_id, array_agg(r.id) as ids from old_rows r group by r.organization_id) as gone
    where m.organization_id = gone.organization_id and m.allowed_dataset_ids && gone.ids;

    update public.invitations i
    set allowed_dataset_ids = array(
        select d from unnest(i.allowed_dataset_ids) with ordinality as s (d, n) where d <> all (gone.ids) order by n
    )
    from (select r.organization_id, array_agg(r.id) as ids from old_rows r group by r.organization_id) as gone
    where i.organization_id = gone.organization_id and i.allowed_dataset_ids && gone.ids;
    return null;
end;
$$;
comment on function private.remove_datasets_from_scopes() is
    'AFTER DELETE statement trigger on datasets (transition table old_rows): takes deleted datasets out of members'' and invitations'' scopes. Definer, because whoever deletes a dataset need not be above every member. Raises nothing.';
