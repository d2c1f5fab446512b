-- The policies that are compared, and the helper functions that they call. Each helper is written as its guide writes it;
-- all are STABLE, since a VOLATILE one is called for every row of the table.

create function bench.sql_set(roles text[]) returns setof uuid
    language sql stable security definer
    set search_path = ''
as $$
    select u.organization_id from bench.user_organizations as u where u.user_id = auth.uid() and u.role = any (roles)
$$;
comment on function bench.sql_set(text[]) is 'As basejump''s get_accounts_with_role().';

create function bench.sql_helper(roles text[]) returns uuid
    language sql stable security definer
    set search_path = ''
as $$
    select m.organization_id from public.memberships as m
    where m.user_id = auth.uid() and m.status = 'active' and m.role = any (roles)
    order by m.organization_id
    limit 1
$$;

create function bench.plpgsql_helper(roles text[]) returns uuid
    language plpgsql stable security definer
    set search_path = ''
as $$
begin
    return (
        select m.organization_id from public.memberships as m
        where m.user_id = auth.uid() and m.status = 'active' and m.role = any (roles)
        order by m.organization_id
        limit 1
    );
end;
$$;

create function bench.session_helper() returns uuid
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if coalesce(current_setting('bench.remembered', true), '') = '' then
        perform set_config('bench.remembered', bench.sql_helper('{owner}')::text, false);
    end if;
    return current_setting('bench.remembered')::uuid;
end;
$$;
comment on function bench.session_helper() is
    'The mistake that the pooled run must find: it keeps its answer in the session.';
grant execute on all functions in schema bench to authenticated;

create table bench.variant (
    n integer primary key,
    name text not null,
    rule text not null,
    denied_rule text not null
);
comment on column bench.variant.denied_rule is 'The same policy, for owners and admins only.';
insert into bench.variant values
    (1, 'in (select … auth.uid())',
        'organization_id in (select u.organization_id from bench.user_organizations as u where u.user_id = auth.uid())',
        $$organization_id in (
            select u.organization_id from bench.user_organizations as u
            where u.user_id = auth.uid() and u.role in ('owner', 'admin')
        )$$),
    (2, 'in (select sql_set())',
        $$organization_id in (select bench.sql_set('{owner,admin,manager,sales_rep,viewer}'))$$,
        $$organization_id in (select bench.sql_set('{owner,admin}'))$$),
    (3, '= (select sql_helper())',
        $$organization_id = (select bench.sql_helper('{owner,admin,manager,sales_rep,viewer}'))$$,
        $$organization_id = (select bench.sql_helper('{owner,admin}'))$$),
    (4, '= (select plpgsql_helper())',
        $$organization_id = (select bench.plpgsql_helper('{owner,admin,manager,sales_rep,viewer}'))$$,
        $$organization_id = (select bench.plpgsql_helper('{owner,admin}'))$$),
    (5, '= (select organization_for())',
        $$organization_id = (select switchboard.organization_for('leads.read'))$$,
        $$organization_id = (select switchboard.organization_for('leads.delete'))$$),
    -- organization_ids() knows no capability, so the right is a second condition.
    (6, '= any (organization_ids())',
        'organization_id = any ((select switchboard.organization_ids())::uuid[])',
        $$organization_id = any ((select switchboard.organization_ids())::uuid[])
            and (select switchboard.organization_for('leads.delete')) is not null$$),
    -- No look-up at all: what any policy of this form costs, whoever resolves the organization.
    (7, '= (select a setting): the floor',
        $$organization_id = (select nullif(current_setting('bench.organization', true), '')::uuid)$$,
        $$organization_id = (select nullif(current_setting('bench.nobody', true), '')::uuid)$$);

-- One policy for everything on each of the six tables.
create procedure bench.set_policy(rule text)
    language plpgsql
as $$
declare
    target text;
begin
    foreach target in array array['leads', 'datasets', 'agents', 'conversations', 'messages', 'calls'] loop
        execute format('alter table bench.%I enable row level security', target);
        execute format('drop policy if exists tenant on bench.%I', target);
        execute format('create policy tenant on bench.%I for all to authenticated using (%s) with check (%s)',
            target, rule, rule);
    end loop;
end;
$$;
