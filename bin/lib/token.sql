-- Prints the claims of a session token, as Supabase Auth writes them, for the user :'email'; makes the user if missing.
insert into auth.users (id, instance_id, aud, role, email, email_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
select gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', lower(:'email'), now(),
    '{"provider": "email", "providers": ["email"]}', '{}', now(), now()
where not exists (select from auth.users where email = lower(:'email'));

select json_build_object(
    'iss', 'supabase-demo',
    'sub', id,
    'aud', 'authenticated',
    'role', 'authenticated',
    'email', email,
    'app_metadata', raw_app_meta_data,
    'user_metadata', raw_user_meta_data,
    'iat', extract(epoch from now())::bigint,
    'exp', extract(epoch from now())::bigint + 3600
)
from auth.users
where email = lower(:'email');
