-- Salts: what the numbers of erased persons are hashed with.

create table private.suppression_salts (
    organization_id uuid not null primary key references public.organizations (id) on delete cascade,
    salt bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);
comment on table private.suppression_salts is
    'What the numbers of erased persons are hashed with; a row with an organization''s first erasure. Without it, a few hours of guessing would read them.';

select private.add_deny_policy('private.suppression_salts');
