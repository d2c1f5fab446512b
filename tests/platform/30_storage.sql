-- Supabase Storage's schema as far as project SQL meets it: buckets, objects and the path helpers that policies on
-- storage.objects call. Owned by supabase_storage_admin; row-level security is on and there is no policy yet.

select to_regclass('storage.objects') is not null as supabase_is_here \gset
\if :supabase_is_here
    \echo 'storage.objects exists: the schema storage is left as it is'
    \quit
\endif

create schema storage authorization supabase_admin;
grant all on schema storage to supabase_storage_admin, dashboard_user;
grant usage on schema storage to postgres, anon, authenticated, service_role;
alter role supabase_storage_admin set search_path = 'storage';

create table storage.buckets (
    id text not null primary key,
    name text not null unique,
    owner uuid,
    owner_id text,
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);

create table storage.objects (
    id uuid not null default gen_random_uuid() primary key,
    bucket_id text references storage.buckets,
    name text,
    owner uuid,
    owner_id text,
    metadata jsonb,
    user_metadata jsonb,
    version text,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now()
);
create unique index bucketid_objname on storage.objects (bucket_id, name);

-- 'a/b/file.tar.gz' → {a,b}
create function storage.foldername(name text) returns text[]
    language sql immutable
    as $$
    select parts[1:array_length(parts, 1) - 1] from string_to_array(name, '/') as parts
$$;

-- 'a/b/file.tar.gz' → 'file.tar.gz'
create function storage.filename(name text) returns text
    language sql immutable
    as $$
    select parts[array_length(parts, 1)] from string_to_array(name, '/') as parts
$$;

-- 'a/b/file.tar.gz' → 'gz'
create function storage.extension(name text) returns text
    language sql immutable
    as $$
    select reverse(split_part(reverse(storage.filename(name)), '.', 1))
$$;

alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;
alter function storage.foldername(text) owner to supabase_storage_admin;
alter function storage.filename(text) owner to supabase_storage_admin;
alter function storage.extension(text) owner to supabase_storage_admin;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant all on storage.buckets, storage.objects to postgres, anon, authenticated, service_role;
