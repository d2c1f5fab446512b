-- The doctor's checks on policies.

create function private.wrap_calls(rule text) returns text
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select replace(
        regexp_replace(
            regexp_replace(
                rule,
                '(?<![§.\w])(switchboard\.(organization_ids|dataset_scope)\(\))', '((select §\1)::uuid[])', 'g'
            ),
            '(?<![§.\w])((switchboard|auth)\.\w+\([^()]*\))', '(select §\1)', 'g'
        ),
        '§', ''
    );
end;
comment on function private.wrap_calls(text) is
    'A policy''s rule with each call of switchboard or auth in a sub-select of its own, but for those that § marks. For doctor_policies. Raises nothing.';

create function private.doctor_policies() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with policies as (
        select format('%I.%I', n.nspname, c.relname) as table_name, p.polname, p.polcmd, p.polroles, p.polpermissive,
            pg_get_expr(p.polqual, p.polrelid) as using_rule,
            pg_get_expr(p.polwithcheck, p.polrelid) as check_rule,
            format('%I on %I.%I', p.polname, n.nspname, c.relname) as name
        from pg_catalog.pg_policy p
        join pg_catalog.pg_class c on c.oid = p.polrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and p.polpermissive
    ), open_policies as (
        select p.*,
            -- § marks the calls that are inside a sub-select already.
            regexp_replace(p.using_rule, '(\( SELECT (?:1(?: AS \S+)?\s+WHERE )?\(*)(switchboard|auth)\.', '\1§\2.', 'g') as marked_using,
            -- And those that judge an inserted row by its own organization, which only the row can name.
            regexp_replace(
                regexp_replace(p.check_rule, '(\( SELECT (?:1(?: AS \S+)?\s+WHERE )?\(*)(switchboard|auth)\.', '\1§\2.', 'g'),
                case p.polcmd when 'a' then '(?<![§.\w])(switchboard\.\w+\(organization_id,)' else '^$' end, '§\1', 'g'
            ) as marked_check
        from policies p
        where coalesce(p.using_rule, 'false') <> 'false' or coalesce(p.check_rule, 'false') <> 'false'
            or (p.using_rule is null and p.check_rule is null)
    )
    select 'error', 'policy_always_true', p.name,
        'The policy lets every row through.',
        format('drop policy %s;', p.name)
        from open_policies p
        where coalesce(p.using_rule, '') ~ '^\(*(true|1 = 1)\)*$' or coalesce(p.check_rule, '') ~ '^\(*(true|1 = 1)\)*$'
    union all
    select 'warn', 'policy_for_all', p.name,
        'One rule for all four verbs: who may read may delete. Write one policy a verb.',
        format('drop policy %s;', p.name)
        from open_policies p where p.polcmd = '*'
    union all
    select 'error', 'policy_to_everybody', p.name,
        'The policy holds for PUBLIC or anon.',
        format('alter policy %s to authenticated;', p.name)
        from open_policies p
        where p.polroles && array[0::oid, coalesce((select r.oid from pg_catalog.pg_roles r where r.rolname = 'anon'), 0::oid)]
    union all
    select 'warn', 'policy_without_check', p.name,
        'The rule for the row as written is not spelled out.',
        case
            when p.using_rule is null then format('drop policy %s;', p.name)
            else format('alter policy %s with check (%s);', p.name, p.using_rule)
        end
        from open_policies p
        where p.polcmd in ('a', 'w', '*') and p.check_rule is null
    union all
    select 'error', 'policy_admin_arm', p.name,
        'The policy asks for a platform administrator: such an arm opens every tenant at once, and lets rows be moved between them. Support access is open_support_session.',
        format('drop policy %s;', p.name)
        from open_policies p
        where concat(p.using_rule, ' ', p.check_rule) ~* '\m(is_(super|platform|global|site)_?admin|is_admin|is_superuser)\M'
    union all
    select 'warn', 'policy_unwrapped_call', p.name,
        'A function is called for each row instead of once a statement.',
        format('alter policy %s', p.name)
            || case when p.using_rule is null then '' else format(' using (%s)', private.wrap_calls(p.marked_using)) end
            || case when p.check_rule is null then '' else format(' with check (%s)', private.wrap_calls(p.marked_check)) end
            || ';'
        from open_policies p
        where concat(p.marked_using, ' ', p.marked_check) ~ '(?<![§.\w])(switchboard|auth)\.\w+\(';
end;
comment on function private.doctor_policies() is
    'Findings on policies in public: permissive leftovers, missing checks, administrators'' arms, functions called for each row.';
