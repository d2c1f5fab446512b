-- What a client stores has a bound, counted as it will be printed: 64 kB of a request may be a gigabyte of text.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);

create temporary view writable as
    select c.relname as table_name, a.attname as column_name, format_type(a.atttypid, null) as type, k.rules
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    cross join lateral (
        select coalesce(string_agg(pg_get_constraintdef(k.oid), e'\n'), '') as rules
        from pg_constraint k
        where k.conrelid = c.oid and a.attnum = any (k.conkey) and k.contype in ('c', 'f')
    ) as k
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attgenerated = ''
        and exists (
            select from unnest(array['authenticated', 'service_role']) as api_role
            where has_column_privilege(api_role, c.oid, a.attnum, 'insert')
                or has_column_privilege(api_role, c.oid, a.attnum, 'update')
        );
grant select on writable to authenticated;
select isnt_empty($$ select from writable where table_name = 'leads' and type = 'jsonb' $$, 'jsonb columns are found');
select isnt_empty($$ select from writable where table_name = 'leads' and type = 'text' $$, 'text columns are found');
select is_empty($$
    select table_name, column_name, rules from writable
    where type in ('jsonb', 'json', 'jsonb[]')
        and rules !~ format('json_is_bounded\(%s, \d+\)|assert_permissions\(%1$s\)|assert_sealed\(%1$s\)|is_day_list\(%1$s\)|is_lead_field_list\(%1$s\)', column_name)
$$, 'every jsonb column that a client writes has a CHECK that bounds it');
select is_empty($$
    select table_name, column_name, rules from writable
    where type in ('text', 'character varying', 'text[]', 'bytea', 'citext')
        and rules !~ format(
            -- A length, a list, a rule of one value, a pattern of a fixed length, a key of bounded names.
            'length\(%s\) <?= \d+|\(%1$s = ANY \(ARRAY|(is_e164|is_email|is_provider|is_time_zone|is_tag_list)\(%1$s\)'
                || '|\(%1$s ~\*? ''\^[^*+]*\$''|FOREIGN KEY \(%1$s\) REFERENCES (public\.)?(plans|quotas|private\.quotas)\(name\)',
            column_name)
$$, 'every text column that a client writes has a CHECK that bounds it');

-- 8,000 numbers of 131,072 digits: 64 kB sent, a gigabyte printed. Whatever printed it would fail with another code, or by
-- memory.
create temporary table giant as
    select ('[' || repeat('1e131071,', 7999) || '1e131071]')::jsonb as list,
        ('{"k": [' || repeat('1e131071,', 7999) || '1e131071]}')::jsonb as object;
grant select on giant to authenticated, service_role;
select ok(pg_column_size(object) < 140000 and not switchboard.json_is_bounded(object, 1000000000), 'the giant is small where it is stored') from giant;
create temporary table written as
    select w.table_name, w.column_name, t.tenant_column
    from writable w
    join tests.tenant_tables t on t.name = w.table_name
    where w.type = 'jsonb' and has_column_privilege('authenticated', 'public.' || w.table_name, w.column_name, 'update');
grant select on written to authenticated;
select tests.as_user('a.owner', 'a');
select set_eq(
    $$ select table_name::text, column_name::text, tests.attempt(format('update public.%I set %I = (select %s from giant) where %I = %L',
            table_name, column_name, case when column_name in ('sending_days', 'required_fields') then 'list' else 'object' end,
            tenant_column, tests.id('a')))
        from written $$,
    $$ values ('agents', 'llm_config', '23514'), ('phone_numbers', 'metadata', '23514'), ('customers', 'attributes', '23514'),
        ('campaign_settings', 'sending_days', '23514'), ('campaign_settings', 'required_fields', '23514'),
        ('datasets', 'column_mapping', '23514'), ('leads', 'attributes', '23514'), ('lessons', 'example_conversation', '23514'),
        ('prompt_templates', 'template_structure', '23514'), ('prompt_templates', 'default_wizard_answers', '23514'),
        ('prompts', 'prompt_structure', '22023'), ('prompts', 'wizard_answers', '23514'),
        ('provider_accounts', 'credentials', '54000'), ('organizations', 'settings', '23514') $$,
    'what would print a gigabyte is refused in every column, without printing it');
select is(tests.attempt(format('insert into public.uploads (dataset_id, filename, %s) select tests.id(''a.dataset''), ''x.csv'', object from giant', c)),
    '23514', format('and in uploads.%s', c)) from unnest(array['mapping', 'options']) as c;
select is(tests.attempt($$ update public.leads set attributes = jsonb_build_object('k', repeat('x', 65536 - 9)) where id = tests.id('a.lead') $$),
    '1 row', 'attributes of 64 kB are stored');
select is(tests.attempt($$ update public.leads set attributes = jsonb_build_object('k', repeat('x', 65536 - 8)) where id = tests.id('a.lead') $$),
    '23514', 'and one byte more is not');
select is(tests.attempt($$ update public.leads set notes = repeat('é', 10000) where id = tests.id('a.lead') $$), '1 row',
    'notes of 10,000 characters are stored');
select is(tests.attempt($$ update public.leads set notes = repeat('é', 10001) where id = tests.id('a.lead') $$), '23514', 'and one more is not');
select is(tests.attempt($$ update public.lessons set tags = array_fill('tag'::text, '{51}') where id = tests.id('a.lesson') $$), '23514',
    'a lesson has at most 50 tags');
select is(tests.attempt($$ update public.lessons set tags = array['tag', repeat('x', 100)] where id = tests.id('a.lesson') $$), '1 row',
    'of 100 characters');

-- Every RPC with a jsonb argument.
create temporary table calls_with_giants (function regprocedure primary key, call text, refused text);
insert into calls_with_giants values
    ('public.import_leads(uuid, jsonb, jsonb)', 'select public.import_leads(tests.id(''a.dataset''), list) from giant', 'PT413 rows_too_large'),
    ('public.create_upload(uuid, text, bigint, text, text, jsonb)', 'select public.create_upload(tests.id(''a.dataset''), ''x.csv'', options => object) from giant',
        '22023 options must not exceed 64 kB of JSON text'),
    ('public.preview_upload(uuid, jsonb, jsonb)', 'select public.preview_upload(tests.id(''a.upload''), object) from giant',
        '22023 options must not exceed 64 kB of JSON text'),
    ('public.commit_upload(uuid, jsonb, jsonb)', 'select public.commit_upload(tests.id(''a.upload''), null, object) from giant',
        '22023 options must not exceed 64 kB of JSON text'),
    ('public.search_leads(text, jsonb, jsonb, integer)', 'select public.search_leads(null, object) from giant', '22023 filters must be a JSON object of at most 64 kB'),
    ('public.create_export(text, jsonb)', 'select public.create_export(null, object) from giant', '22023 filters must be a JSON object of at most 64 kB'),
    ('public.export_leads(uuid, jsonb, integer)', 'select public.export_leads((public.create_export() ->> ''export_id'')::uuid, object) from giant',
        '22023 after must be {"created_at": …, "id": …} of the last lead of the page before'),
    ('public.add_phone_number(text, text, uuid, uuid, text, jsonb)',
        'select public.add_phone_number(''03069 990810'', ''twilio'', metadata => object) from giant',
        '22023 metadata must not exceed 16 kB of JSON text'),
    ('public.change_member(uuid, jsonb)', 'select public.change_member(tests.id(''a.viewer''), jsonb_build_object(''role'', list)) from giant',
        '22023 changes must not exceed 64 kB of JSON text'),
    ('public.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval)',
        'select public.invite_member(''x@a.example'', ''viewer'', object) from giant',
        '22023 permissions must not exceed 16384 bytes of JSON text');
grant select on calls_with_giants to authenticated;
select tests.as_owner();
select set_eq(
    $$ select p.oid from pg_proc p
        where p.pronamespace = 'public'::regnamespace and 'jsonb'::regtype = any (p.proargtypes)
            and (has_function_privilege('authenticated', p.oid, 'execute') or has_function_privilege('service_role', p.oid, 'execute')) $$,
    $$ select function::oid from calls_with_giants $$,
    'every RPC with a jsonb argument is called here');
select tests.as_user('a.owner', 'a');
select is(r ->> 'sqlstate' || ' ' || (r ->> 'message'), c.refused, format('%s is refused before it prints', c.function))
    from calls_with_giants c cross join lateral tests.refusal(c.call) as r;
select is(
    tests.refusal('select public.import_leads(tests.id(''a.dataset''), ''[]'', jsonb_build_object(''mapping'', object)) from giant') ->> 'message',
    'options must not exceed 64 kB of JSON text', 'also in the options of an import');

-- Native functions that read the text of a jsonb.
select is((select tests.refusal(format('select switchboard.compile_prompt(%s) from giant', arguments)) ->> 'message'), message, message)
    from (values
        ('object, ''[]'', ''{}''', 'structure is too large: it may have at most 262144 bytes'),
        ('''{}'', list, ''{}''', 'lessons is too large: it may have at most 1048576 bytes'),
        ('''{}'', ''[]'', object', 'options is too large: it may have at most 65536 bytes')
    ) as v (arguments, message);
select is(switchboard.is_sealed(object), false, 'a giant is no envelope') from giant;
select is(tests.attempt('select switchboard.assert_sealed(object) from giant'), '22023', 'and assert_sealed says so');
select is(tests.attempt('select switchboard.credential_hint(object) from giant'), '22023', 'and credential_hint');
select is(tests.attempt('select switchboard.assert_permissions(object) from giant'), '22023', 'nor is it permissions');
select tests.as_service('a');
select is(tests.attempt('select switchboard.seal(object, tests.id(''a''), ''x'', ''p'') from giant'), '54000', 'nor does it get sealed');
select is(tests.attempt('select switchboard.unseal(object, tests.id(''a''), ''x'', ''p'', ''r'') from giant'), '22023', 'nor opened');
select tests.as_owner();
select is(switchboard.member_capabilities('viewer', object, false, false, false, false), '{}'::text[], 'and gives nothing') from giant;

select * from finish();
rollback;
