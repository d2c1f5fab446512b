-- Salts: what the numbers of erased persons are hashed with.

create table private.suppression_salts (
    organization_id uuid not null primary key references public.organizations (id) on delete cascade,
    salt bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);
comment on table private.suppression_salts is
    'What the numbers of erased persons are hashed with; a row with an organization''s first erasure. Without it, a few hours of guessing would read them.';

select private.add_deny_policy('private.suppression_salts');

create function private.suppression_hash(org uuid, number text) returns bytea
    language sql stable
    set search_path = ''
begin atomic
    select sha256(k.salt || convert_to(number, 'UTF8')) from private.suppression_salts k where k.organization_id = org;
end;
comment on function private.suppression_hash(uuid, text) is
    'What suppressions.phone_hash is of a number; NULL where the organization has erased nobody. suppressed_numbers does the same for many. Raises nothing.';
