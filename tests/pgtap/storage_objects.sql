-- Files: what members and strangers reach in the three buckets, asked as Supabase Storage asks: the role and
-- the claims set for the transaction, its own search_path, statements on storage.objects. Each refusal has its
-- allow beside it.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other list');
select tests.make_user('m.both');
insert into public.memberships (organization_id, user_id, role)
values (tests.id('a'), tests.id('m.both'), 'owner'), (tests.id('b'), tests.id('m.both'), 'owner');

-- As Storage sets its transaction up: the legacy claims beside the present ones.
create function tests.as_storage(name text, organization text default null) returns void
    language plpgsql
as $$
begin
    perform tests.as_user(name, organization);
    perform set_config('request.jwt.claim.sub', tests.id(name)::text, true);
    perform set_config('request.jwt.claim.role', 'authenticated', true);
    perform set_config('storage.allow_delete_query', 'true', true);
    perform set_config('search_path', 'storage, public, extensions', true);
end;
$$;
-- What an upload asks.
create function tests.upload(bucket text, name text, owner text default null) returns text
    language sql
    return tests.attempt(format(
        'insert into storage.objects (bucket_id, name, owner, owner_id) values (%L, %L, %L, %L)',
        bucket, name, tests.id(owner), tests.id(owner)::text));
-- A file's name in the folder of tenant t.
create function tests.file(t text, rest text) returns text
    language sql immutable
    return tests.id(t) || '/' || rest;
grant execute on all functions in schema tests to anon, authenticated, service_role;

select results_eq(
    $$ select id, public, file_size_limit, array_to_string(allowed_mime_types, ' ') from storage.buckets
        where id in ('csv_uploads', 'client_logos', 'exports') order by id $$,
    $$ values ('client_logos', true, 1048576::bigint, 'image/png image/jpeg image/webp'),
        ('csv_uploads', false, 52428800, 'text/csv application/csv application/vnd.ms-excel text/plain'),
        ('exports', false, 52428800, 'text/csv application/json application/zip') $$,
    'three buckets: logos are public by address, the rest is not'
);
select bag_eq(
    $$ select policyname::text collate "default", cmd, permissive, roles::text collate "default" from pg_policies
        where schemaname = 'storage' and tablename = 'objects' $$,
    $$ values ('organization_files_select', 'SELECT', 'PERMISSIVE', '{authenticated}'),
        ('organization_files_insert', 'INSERT', 'PERMISSIVE', '{authenticated}'),
        ('organization_files_update', 'UPDATE', 'PERMISSIVE', '{authenticated}'),
        ('organization_files_delete', 'DELETE', 'PERMISSIVE', '{authenticated}') $$,
    'one policy for each verb'
);
select is(private.attach_storage(), true, 'attaching again changes nothing');
select is((select count(*)::integer from pg_policies where schemaname = 'storage'), 4, 'not even the number of policies');

-- One object per bucket and tenant.
insert into storage.objects (bucket_id, name)
select b, tests.file(t, case b when 'client_logos' then 'logo.png' else tests.id(t || '.dataset') || '/leads.csv' end)
from unnest(array['csv_uploads', 'client_logos', 'exports']) as b, unnest(array['a', 'b']) as t;

-- In exports a file is what create_export began: one that is there, one to come.
insert into public.exports (organization_id, storage_path, expires_at, created_by)
select tests.id(t), tests.file(t, tests.id(t || '.dataset') || f), now() + interval '1 hour', tests.id('a.owner')
from unnest(array['a', 'b']) as t, unnest(array['/leads.csv', '/new.csv']) as f;

-- Role by bucket by verb: r read, i insert, u update, d delete of the own organization's.
create temporary table rights (bucket text, member text, verbs text);
insert into rights values
    ('csv_uploads', 'a.owner', 'riud'), ('csv_uploads', 'a.admin', 'riud'), ('csv_uploads', 'a.manager', 'riu'),
    ('csv_uploads', 'a.sales_rep', ''), ('csv_uploads', 'a.viewer', 'r'),
    ('client_logos', 'a.owner', 'riud'), ('client_logos', 'a.admin', 'riud'), ('client_logos', 'a.manager', 'r'),
    ('client_logos', 'a.sales_rep', 'r'), ('client_logos', 'a.viewer', 'r'),
    ('exports', 'a.owner', 'rid'), ('exports', 'a.admin', 'rd'), ('exports', 'a.manager', 'r'),
    ('exports', 'a.sales_rep', ''), ('exports', 'a.viewer', '');
create function tests.held(bucket text, member text, t text) returns text
    language plpgsql
as $$
begin
    perform tests.as_storage(member);
    return case tests.attempt(format('select 1 from objects where bucket_id = %L and name like %L', bucket, tests.id(t) || '/%'))
            when '1 row' then 'r' when '0 rows' then '' else '?' end
        || case tests.upload(bucket, tests.file(t, tests.id(t || '.dataset') || '/new.csv'), member)
            when '1 row' then 'i' when '42501' then '' else '?' end
        || case tests.attempt(format('update objects set metadata = ''{}'' where bucket_id = %L and name like %L', bucket, tests.id(t) || '/%'))
            when '1 row' then 'u' when '0 rows' then '' else '?' end
        || case tests.attempt(format('delete from objects where bucket_id = %L and name like %L', bucket, tests.id(t) || '/%'))
            when '1 row' then 'd' when '0 rows' then '' else '?' end;
end;
$$;
grant select on rights to authenticated;
grant execute on function tests.held(text, text, text) to authenticated;
select is(tests.held(bucket, member, 'a'), verbs, format('%s in %s', member, bucket)) from rights order by bucket, member;
select is(tests.held(bucket, member, 'b'), '', format('%s in %s of another organization', member, bucket)) from rights order by bucket, member;

-- Who has no organization, or none in force.
select is(tests.held(b, 'n.nobody', 'a'), '', 'a stranger in ' || b) from unnest(array['csv_uploads', 'client_logos', 'exports']) as b;
select is(tests.held(b, 'm.both', 'a'), '', 'two organizations and none named: ' || b) from unnest(array['csv_uploads', 'client_logos', 'exports']) as b;
select tests.as_anon();
select is(tests.attempt('select 1 from storage.objects'), '0 rows', 'anon lists nothing, not even logos');
select is(tests.upload('client_logos', tests.file('a', 'x.png')), '42501', 'anon uploads nothing');
select tests.as_storage('a.owner');
select is(tests.attempt('select 1 from buckets'), '0 rows', 'the list of buckets is empty for members');
select is(tests.attempt($$ insert into buckets (id, name) values ('mine', 'mine') $$), '42501', 'nobody makes a bucket');
select is(tests.attempt($$ update buckets set public = true $$), '0 rows', 'or opens one');
select is(tests.upload('other_bucket', tests.file('a', 'x.csv'), 'a.owner'), '42501', 'a bucket of somebody else''s');
select tests.as_storage('a.owner', 'b');
select is(tests.attempt('select 1 from objects'), '0 rows', 'naming another organization: nothing');
select tests.as_storage('m.both', 'a');
select is(tests.attempt('select 1 from objects'), '3 rows', 'naming one of the own: what is in it');

-- Names. The first folder is the organization's id as it is written, and nothing in the name is empty or goes up.
select tests.as_storage('a.owner');
select is(tests.upload('csv_uploads', n.name, 'a.owner'), '1 row', 'good name: ' || left(n.name, 80)) from (values
    (tests.file('a', 'x.csv')), (tests.file('a', 'x/y/z.csv')), (tests.file('a', '…/ü é.csv')), (tests.file('a', 'x y.csv')),
    (tests.file('a', repeat('x', 1024 - 37))), (tests.file('a', '.csv')), (tests.file('a', '...')),
    (tests.file('a', tests.id('b') || '/x.csv'))
) as n (name);
select is(tests.upload('csv_uploads', n.name, 'a.owner'), '42501', 'bad name: ' || quote_nullable(left(n.name, 80))) from (values
    (null), (''), ('/'), ('x.csv'), ('//x.csv'), ('../x.csv'),
    (tests.id('a')::text), (tests.file('a', '')), ('/' || tests.file('a', 'x.csv')), (' ' || tests.file('a', 'x.csv')),
    (upper(tests.id('a')::text) || '/x.csv'), ('{' || tests.id('a') || '}/x.csv'), (replace(tests.id('a')::text, '-', '') || '/x.csv'),
    (tests.id('a') || ' /x.csv'), (tests.id('a') || '//x.csv'), (tests.file('a', 'x//y.csv')), (tests.file('a', 'x/')),
    (tests.file('a', '../' || tests.id('b') || '/x.csv')), (tests.file('a', './x.csv')), (tests.file('a', 'x/..')),
    (tests.file('a', 'x/../y.csv')), (tests.id('a') || e'\n/x.csv'), (tests.id('a') || '\x.csv'), (tests.id('a') || '%2Fx.csv'),
    (tests.id('a') || '／x.csv'), (tests.file('b', 'x.csv')), (tests.file('b', '../' || tests.id('a') || '/x.csv')),
    (tests.id('a') || E'\u200b/x.csv'), (tests.id('a') || 'a/x.csv'), (repeat('/', 1024)), ('null/x.csv'), ('undefined/x.csv'),
    (left(tests.id('a')::text, 35) || '/x.csv'), (tests.id('a') || '.csv')
) as n (name);

-- Whose name stands on a file says nothing: not as a key, not as a lock.
select tests.as_owner();
update storage.objects set owner = tests.id('a.owner'), owner_id = tests.id('a.owner')::text;
select tests.as_storage('a.owner');
select is(tests.attempt('select 1 from objects'), '3 rows', 'to be entered as the owner of another organization''s file does not open it');
select is(tests.upload('csv_uploads', tests.file('b', 'x.csv'), 'a.owner'), '42501', 'nor does uploading one as the own');
select is(tests.upload('csv_uploads', tests.file('b', 'x.csv'), 'b.owner'), '42501', 'or as theirs');
select tests.as_storage('a.manager');
select is(tests.attempt($$ update objects set metadata = '{}' where bucket_id = 'csv_uploads' $$), '1 row', 'a colleague''s file is the organization''s');

-- Upsert, move, copy, sign.
select tests.as_owner();
create function tests.upsert(bucket text, name text) returns text
    language sql
    return tests.attempt(format(
        'insert into objects (bucket_id, name) values (%L, %L) on conflict (bucket_id, name) do update set metadata = ''{"by": "a"}''',
        bucket, name));
create function tests.move(from_t text, to_bucket text, to_name text) returns text
    language sql
    return tests.attempt(format(
        'update objects set bucket_id = %L, name = %L where bucket_id = ''csv_uploads'' and name like %L',
        to_bucket, to_name, tests.id(from_t) || '/%'));
grant execute on function tests.upsert(text, text), tests.move(text, text, text) to authenticated;
select tests.as_storage('a.owner');
select is(tests.upsert('csv_uploads', tests.file('a', tests.id('a.dataset') || '/leads.csv')), '1 row', 'upsert over the own file');
select is(tests.upsert('csv_uploads', tests.file('b', tests.id('b.dataset') || '/leads.csv')), '42501', 'upsert over another''s');
select is(tests.upsert('csv_uploads', tests.file('b', 'nothing.csv')), '42501', 'the same answer where nothing is');
select is(tests.move('a', 'csv_uploads', tests.file('a', 'moved.csv')), '1 row', 'move within the folder');
select is(tests.move('a', 'csv_uploads', tests.file('b', 'moved.csv')), '42501', 'move into another organization');
select is(tests.move('b', 'csv_uploads', tests.file('a', 'moved.csv')), '0 rows', 'move out of it');
select is(tests.move('a', 'client_logos', tests.file('a', 'logo.csv')), '42501', 'move from the private bucket to the public one');
select is(tests.move('a', 'exports', tests.file('a', 'x.csv')), '42501', 'or to another private one');
select is(tests.move('a', 'csv_uploads', 'x.csv'), '42501', 'move out of every folder');
select is(tests.attempt(format('select 1 from objects where bucket_id = ''csv_uploads'' and name = %L',
    tests.file('a', tests.id('a.dataset') || '/leads.csv'))), '1 row', 'to copy or sign, the own file is found');
select is(tests.attempt(format('select 1 from objects where bucket_id = ''csv_uploads'' and name = %L',
    tests.file('b', tests.id('b.dataset') || '/leads.csv'))), '0 rows', 'and another''s is not');
select tests.as_storage('m.both', 'a');
select is(tests.move('a', 'csv_uploads', tests.file('b', 'moved.csv')), '42501', 'an owner of both moves nothing from one to the other');
select tests.as_service();
select is(tests.attempt(format('update storage.objects set name = %L where bucket_id = ''csv_uploads'' and name like %L',
    tests.file('b', 'moved.csv'), tests.id('a') || '/%')), '42501', 'nor does server code');
select is(tests.attempt(format('update storage.objects set name = %L where bucket_id = ''csv_uploads'' and name like %L',
    tests.file('a', 'moved.csv'), tests.id('a') || '/%')), '1 row', 'which does move within');

-- Exports: nothing but what was begun, and that until it expires, whatever becomes of the row or of the dataset.
select tests.as_storage('a.owner');
select is(tests.upload('exports', tests.file('a', 'own.csv')), '42501', 'no file without an export');
select is(tests.attempt($$ update objects set name = replace(name, 'leads', 'keep') where bucket_id = 'exports' $$), '0 rows', 'none is moved out of its time');
select is(tests.attempt($$ select 1 from objects where bucket_id = 'exports' $$), '1 row', 'one is there');
select tests.as_owner();
update public.exports set dataset_id = tests.id('a.dataset') where organization_id = tests.id('a');
delete from public.datasets where id = tests.id('a.dataset');
select is((select count(*)::integer from public.exports where organization_id = tests.id('a') and dataset_id is null and storage_path ~ 'csv$'), 2, 'the dataset goes, its exports stay on the list');
update public.exports set status = 'ready' where organization_id = tests.id('a');
select tests.as_storage('a.owner');
select is(tests.upload('exports', tests.file('a', tests.id('a.dataset') || '/new.csv')), '42501', 'one that is over takes no file');
select is(tests.attempt($$ select 1 from objects where bucket_id = 'exports' $$), '1 row', 'and is read');
select tests.as_owner();
update public.exports set expires_at = now() where organization_id = tests.id('a');
select tests.as_storage('a.owner');
select is(tests.attempt($$ select 1 from objects where bucket_id = 'exports' $$), '0 rows', 'until it expires');
select tests.as_owner();
delete from public.exports where organization_id = tests.id('a');
select tests.as_storage('a.owner');
select is(tests.attempt($$ select 1 from objects where bucket_id = 'exports' $$), '0 rows', 'and when its row is gone');
select tests.as_owner();
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.dataset'), 'Again');

-- A scope: the second folder is the dataset.
insert into storage.objects (bucket_id, name) values ('csv_uploads', tests.file('a', tests.id('a.other') || '/leads.csv'));
update public.memberships set allowed_dataset_ids = array[tests.id('a.dataset')]
where user_id in (tests.id('a.manager'), tests.id('a.viewer'));
select tests.as_storage('a.manager');
select is(tests.attempt($$ select 1 from objects where bucket_id = 'csv_uploads' $$), '1 row', 'some datasets: their files');
select is(tests.upload('csv_uploads', tests.file('a', tests.id('a.dataset') || '/x.csv')), '1 row', 'an upload into their folder');
select is(tests.upload('csv_uploads', tests.file('a', tests.id('a.other') || '/x.csv')), '42501', 'not into another''s');
select is(tests.upload('csv_uploads', tests.file('a', 'x.csv')), '42501', 'nor beside it');
select is(tests.move('a', 'csv_uploads', tests.file('a', tests.id('a.other') || '/y.csv')), '42501', 'and no move out of it');
select is(tests.attempt($$ select 1 from objects where bucket_id = 'client_logos' $$), '1 row', 'logos have no dataset');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = '{}' where user_id = tests.id('a.viewer');
select tests.as_storage('a.viewer');
select is(tests.attempt($$ select 1 from objects where bucket_id <> 'client_logos' $$), '0 rows', 'an empty scope: none');

-- A list is leads: whoever may not read them reads no file of them.
select tests.as_owner();
update public.memberships set allowed_dataset_ids = null, permissions = '{"leads.read": false}' where user_id = tests.id('a.viewer');
select tests.as_storage('a.viewer');
select is(tests.attempt($$ select 1 from objects where bucket_id <> 'client_logos' $$), '0 rows', 'without leads.read no file of leads');
select tests.as_owner();
update public.memberships set permissions = '{}' where user_id = tests.id('a.viewer');
select tests.as_storage('a.viewer');
select isnt(tests.attempt($$ select 1 from objects where bucket_id <> 'client_logos' $$), '0 rows', 'with it they are there');

-- Rights change from the next statement.
select tests.as_owner();
update public.organizations set status = 'paused' where id = tests.id('a');
select is(tests.held('csv_uploads', 'a.owner', 'a'), '?', 'a paused organization has its two files still');
select tests.as_storage('a.owner');
select is(tests.upload('csv_uploads', tests.file('a', 'x.csv')), '42501', 'but takes no more');
select tests.as_owner();
update public.organizations set status = 'active' where id = tests.id('a');
update public.memberships set status = 'suspended' where user_id = tests.id('a.admin');
select is(tests.held('csv_uploads', 'a.admin', 'a'), '', 'a suspended member has nothing left');

select * from finish();
rollback;
