-- Quotas: what can be limited, and how it is counted. A quota of your own is a row here, its limits are rows of
-- plan_limits, and private.add_quota holds a table to it.

create table private.quotas (
    name text not null primary key
        constraint quotas_name_check check (name ~ '^[a-z][a-z_]{0,62}$'),
    counted_by text not null
);
comment on table private.quotas is
    'What an organization can have a limited number of. For the database owner.';
comment on column private.quotas.counted_by is
    'SQL that answers how many the organization $1 has: one row, one number.';

select private.add_deny_policy('private.quotas');

insert into private.quotas (name, counted_by) values
    -- An open invitation holds a place, until it becomes the membership of its address.
    ('members', $sql$
        select (select count(*) from public.memberships m where m.organization_id = $1) + (
            select count(*) from public.invitations i
            where i.organization_id = $1
                and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
                and not exists (
                    select from public.memberships m
                    join auth.users u on u.id = m.user_id
                    where m.organization_id = $1 and private.email_key(u.email) = i.email
                )
        )
    $sql$),
    ('agents', 'select count(*) from public.agents where organization_id = $1'),
    ('phone_numbers', 'select count(*) from public.phone_numbers where organization_id = $1'),
    ('datasets', 'select count(*) from public.datasets where organization_id = $1'),
    -- The counters are exact, and a thousand times fewer rows than the leads.
    ('leads', 'select coalesce(sum(total_leads), 0) from public.datasets where organization_id = $1'),
    -- A call that nobody ended counts for four hours; route_inbound_call counts the same.
    ('concurrent_calls', $sql$
        select count(*) from public.calls
        where organization_id = $1
            and status in ('ringing', 'in_progress')
            and started_at > now() - interval '4 hours'
    $sql$);
