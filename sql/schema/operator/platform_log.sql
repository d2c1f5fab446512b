-- Who became and ceased to be a platform administrator.

create table private.platform_log (
    id bigint generated always as identity primary key,
    created_at timestamptz not null default clock_timestamp(),
    actor_id uuid,
    action text not null
        constraint platform_log_action_check check (action in ('bootstrap', 'grant', 'revoke')),
    user_id uuid not null
);
comment on table private.platform_log is
    'Who became and who ceased to be a platform administrator, by whom; actor_id NULL is the service key. No foreign keys: the record outlives the people. For the database owner.';

select private.add_deny_policy('private.platform_log');
