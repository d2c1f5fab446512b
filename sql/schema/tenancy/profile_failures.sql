-- Sign-ups whose profile could not be made.

create table private.profile_failures (
    id bigint generated always as identity primary key,
    user_id uuid not null,
    sqlstate text not null,
    message text not null,
    failed_at timestamptz not null default clock_timestamp()
);
comment on table private.profile_failures is
    'Sign-ups whose profile could not be made. private.backfill_profiles() repairs and empties it.';

select private.add_deny_policy('private.profile_failures');
