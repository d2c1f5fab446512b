-- Profiles: the person behind an auth user. Native code reads the default organization, so it is not FORCEd.

create table public.profiles (
    id uuid not null primary key references auth.users (id) on delete cascade,
    full_name text
        constraint profiles_full_name_check check (length(full_name) <= 200),
    first_name text
        constraint profiles_first_name_check check (length(first_name) <= 100),
    last_name text
        constraint profiles_last_name_check check (length(last_name) <= 100),
    email text,
    country text
        constraint profiles_country_check check (country ~ '^[A-Z]{2}$'),
    phone_number text
        constraint profiles_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint profiles_phone_input_check check (length(phone_input) <= 250),
    avatar_path text
        constraint profiles_avatar_path_check check (btrim(avatar_path) <> '' and length(avatar_path) <= 1024),
    default_organization_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint profiles_default_organization_id_fkey
        foreign key (default_organization_id, id)
        references public.memberships (organization_id, user_id)
        on delete set null (default_organization_id)
);
comment on table public.profiles is
    'The person behind an auth user; made by a trigger at sign-up. Rights are not here but in memberships. Everybody changes their own name, country, phone number and avatar. Name the columns in a select: default_organization_id, e-mail address and phone number are granted to nobody; the view users shows the last two to those who manage members.';
comment on column public.profiles.email is
    'Copy of auth.users.email, kept by trigger. Granted to nobody: the view users shows it to the person and to holders of members.write.';
comment on column public.profiles.country is
    'ISO 3166-1 alpha-2 code in which the person''s phone number is read; without it only a number with + is.';
comment on column public.profiles.phone_number is 'E.164. Granted to nobody for reading, like email.';
comment on column public.profiles.phone_input is 'The number as it was typed.';
comment on column public.profiles.avatar_path is 'Object in a bucket of the application.';
comment on column public.profiles.default_organization_id is
    'The organization to act for when a request names none. The key ties it to a membership of this person, so it goes when the membership goes.';

create index profiles_default_organization_id_idx
    on public.profiles (default_organization_id, id);
comment on index public.profiles_default_organization_id_idx is
    'Foreign key to memberships: finds the profile to clear when a membership is deleted.';

create trigger normalize_phone
    before insert or update on public.profiles
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'column:country'
    );

select private.add_row_triggers('public.profiles', '{id,created_at}');

alter table public.profiles enable row level security;
create policy profiles_select on public.profiles for select to authenticated
    using (
        id = (select switchboard.user_id())
        or id = any (array(
            select m.user_id
            from public.memberships m
            where m.organization_id = any ((select switchboard.organization_ids())::uuid[])
        ))
    );
create policy profiles_insert on public.profiles for insert to authenticated
    with check (false);
create policy profiles_update on public.profiles for update to authenticated
    using (id = (select switchboard.user_id())) with check (id = (select switchboard.user_id()));
create policy profiles_delete on public.profiles for delete to authenticated
    using (false);

grant select (id, full_name, first_name, last_name, country, avatar_path, created_at, updated_at)
    on public.profiles to authenticated;
grant update (full_name, first_name, last_name, country, phone_number, avatar_path)
    on public.profiles to authenticated;
grant select on public.profiles to service_role;
grant update (full_name, first_name, last_name, country, phone_number, avatar_path, default_organization_id)
    on public.profiles to service_role;
