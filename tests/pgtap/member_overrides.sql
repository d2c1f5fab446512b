-- What flags and permissions add to a role and take from it, and what the organization's status leaves, as row
-- level security and the RPCs apply it: role × override × verb on leads (own rows, scope) and lessons (plain), against
-- the rule written down here.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);

-- Each member has one lead; the two of the tenant's are somebody else's.
delete from public.leads where organization_id = tests.id('a');
insert into public.leads (organization_id, dataset_id, first_name, phone_number, assigned_to)
select tests.id('a'), tests.id('a.dataset'), 'Lead 001', '+4477009000' || to_char(n, 'FM00'), tests.id('a.' || r)
from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer', null]) with ordinality as x (r, n);

create temporary table overrides (title text primary key, adds text[], takes text[], change jsonb);
insert into overrides values
    ('nothing', '{}', '{}', '{}'),
    ('can_view_all_leads', '{leads.read_all}', '{}', '{"can_view_all_leads": true}'),
    ('can_edit_lessons', '{lessons.write}', '{}', '{"can_edit_lessons": true}'),
    ('can_push_to_n8n and can_manage_users', '{n8n.push,members.write}', '{}', '{"can_push_to_n8n": true, "can_manage_users": true}'),
    ('all four flags', '{leads.read_all,lessons.write,n8n.push,members.write}', '{}',
        '{"can_view_all_leads": true, "can_edit_lessons": true, "can_push_to_n8n": true, "can_manage_users": true}'),
    ('leads.delete and lessons.delete given', '{leads.delete,lessons.delete}', '{}',
        '{"permissions": {"leads.delete": true, "lessons.delete": true}}'),
    ('leads.write and lessons.write given', '{leads.write,lessons.write}', '{}',
        '{"permissions": {"leads.write": true, "lessons.write": true}}'),
    ('leads.read_all taken', '{}', '{leads.read_all}', '{"permissions": {"leads.read_all": false}}'),
    -- A read that is taken takes its read_all with it, so nothing is written either but own rows.
    ('leads.read taken', '{}', '{leads.read,leads.read_all}', '{"permissions": {"leads.read": false}}'),
    ('leads.write and lessons.write taken', '{}', '{leads.write,lessons.write}',
        '{"permissions": {"leads.write": false, "lessons.write": false}}'),
    ('flags and the same taken', '{leads.read_all,lessons.write}', '{leads.read_all,lessons.write}',
        '{"can_view_all_leads": true, "can_edit_lessons": true, "permissions": {"leads.read_all": false, "lessons.write": false}}'),
    ('every write and delete given, leads.read_all taken', '{leads.write,leads.delete,lessons.write,lessons.delete}', '{leads.read_all}',
        '{"permissions": {"leads.write": true, "leads.delete": true, "lessons.write": true, "lessons.delete": true, "leads.read_all": false}}');

-- The rule: the role's, more, less.
create function tests.holds(of_role text, override overrides, capability text) returns boolean
    language sql stable
as $$
    select (
            capability = any (override.adds)
            or exists (select from switchboard.capabilities() c where c.role = of_role and c.capability = holds.capability)
        ) and capability <> all (override.takes)
$$;
create function tests.rows_text(n integer) returns text
    language sql immutable
    return n || case when n = 1 then ' row' else ' rows' end;
create temporary table cases as
    select r as role, o.title, o.change, v.verb, t.name,
        case
            when v.verb = 'insert' then case
                when tests.holds(r, o, t.name || '.write') and (t.name = 'lessons' or tests.holds(r, o, 'leads.read_all')) then '1 row'
                else '42501'
            end
            -- A statement with a condition reads, so changing needs reading too.
            when not tests.holds(r, o, t.name || '.read')
                or v.verb = 'update' and not tests.holds(r, o, t.name || '.write')
                or v.verb = 'delete' and not tests.holds(r, o, t.name || '.delete') then '0 rows'
            when t.name = 'lessons' or tests.holds(r, o, 'leads.read_all') then tests.rows_text(t.rows)
            else '1 row'
        end as expected
    from unnest(array['admin', 'manager', 'sales_rep', 'viewer']) as r
    cross join overrides o
    cross join unnest(array['select', 'insert', 'update', 'delete']) as v (verb)
    cross join (values ('leads', 6), ('lessons', 1)) as t (name, rows);
grant select on cases to authenticated;

create function tests.set_member(member text, change jsonb) returns void
    language plpgsql
as $$
begin
    perform tests.as_owner();
    update public.memberships m
        set permissions = coalesce(change -> 'permissions', '{}'),
            can_view_all_leads = coalesce((change -> 'can_view_all_leads')::boolean, false),
            can_edit_lessons = coalesce((change -> 'can_edit_lessons')::boolean, false),
            can_push_to_n8n = coalesce((change -> 'can_push_to_n8n')::boolean, false),
            can_manage_users = coalesce((change -> 'can_manage_users')::boolean, false)
        where m.user_id = tests.id(member);
    perform tests.as_user(member);
end;
$$;
create function tests.outcomes(of_role text, of_title text) returns table (verb text, name text, expected text, actual text)
    language plpgsql
as $$
begin
    perform tests.set_member('a.' || of_role, (select o.change from overrides o where o.title = of_title));
    return query
        select c.verb, c.name, c.expected, tests.attempt(tests.statement(c.verb, c.name, 'a'))
        from cases c where c.role = of_role and c.title = of_title;
    perform tests.as_owner();
end;
$$;
select is(x.actual, x.expected, format('%s with %s: %s %s', r, o.title, x.verb, x.name))
    from unnest(array['admin', 'manager', 'sales_rep', 'viewer']) as r
    cross join overrides o
    cross join lateral tests.outcomes(r, o.title) as x
    order by r, o.title, x.name, x.verb;
select is((select count(*)::integer from cases), 4 * 12 * 4 * 2, 'four roles, twelve overrides, four verbs, two tables');

grant execute on function tests.set_member(text, jsonb) to authenticated;

-- An own row stays own: with the right to delete but not to see all, only the own lead goes.
select tests.set_member('a.sales_rep', '{"permissions": {"leads.delete": true}}');
select is(tests.attempt('delete from public.leads'), '1 row', 'a sales_rep with leads.delete deletes the own lead');
select is(tests.attempt(format('update public.leads set assigned_to = %L', tests.id('a.viewer'))), '42501', 'and gives none away');

-- RPCs ask for the same.
select tests.set_member('a.sales_rep', '{"permissions": {"uploads.write": true}}');
select is(tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('a.dataset'))) ->> 'sqlstate', 'PT403',
    'import needs leads.read_all: duplicates that the member cannot see could not be told');
select tests.set_member('a.sales_rep', '{"can_view_all_leads": true, "permissions": {"uploads.write": true}}');
select is(tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('a.dataset'))), '{}', 'with it, import is open');
select tests.set_member('a.manager', '{"permissions": {"leads.write": false}}');
select is(tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('a.dataset'))) ->> 'sqlstate', 'PT403', 'and needs leads.write');
select tests.set_member('a.manager', '{"permissions": {"leads.read": false}}');
select is(tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('a.dataset'))) ->> 'sqlstate', 'PT403', 'and leads.read, without which nobody holds leads.read_all');
select is(switchboard.organization_for('leads.read_all'), null, 'not by the role');
select tests.set_member('a.manager', '{"can_view_all_leads": true, "permissions": {"leads.read": false, "leads.read_all": true}}');
select is(switchboard.organization_for('leads.read_all'), null, 'nor by a flag or permission');
select is(switchboard.organization_for('calls.read_all'), tests.id('a'), 'that of calls stays');
select tests.set_member('a.manager', '{"permissions": {"uploads.write": false}}');
select is(tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('a.dataset'))) ->> 'sqlstate', 'PT403', 'and uploads.write');
select tests.set_member('a.manager', '{}');
select is(tests.refusal(format($$ select public.publish_prompt(%L, 'test') $$, tests.id('a.prompt'))) ->> 'sqlstate', 'PT403', 'a manager publishes nothing');
select tests.set_member('a.manager', '{"permissions": {"prompts.publish": true}}');
select is(tests.refusal(format($$ select public.publish_prompt(%L, 'test') $$, tests.id('a.prompt'))), '{}', 'unless it is given');
select tests.set_member('a.viewer', '{"permissions": {"leads.read": false}}');
select is(tests.refusal($$ select public.find_by_phone('07700 900001') $$) ->> 'sqlstate', 'PT403', 'find_by_phone needs leads.read');

-- Recordings and transcripts: no column, an RPC for whoever holds recordings.read and sees the call.
select tests.as_owner();
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, assigned_to)
values (tests.id('a'), tests.id('a.lead.rep'), tests.id('a.dataset'), 'Lead 002', '07700 900077', tests.id('a.sales_rep'));
update public.calls set lead_id = tests.id('a.lead.rep') where id = tests.id('a.call.rep');
update public.calls set recording_path = 'a/recording.wav', transcript = 'Hello.' where organization_id = tests.id('a');
create function tests.hears(member text, change jsonb, call text) returns text
    language plpgsql
as $$
declare
    answer jsonb;
begin
    perform tests.set_member(member, change);
    select public.call_recording(tests.id(call)) into answer;
    return answer;
exception
    when others then
        return sqlstate;
end;
$$;
grant execute on function tests.hears(text, jsonb, text) to authenticated;
select is(tests.hears(member, change::jsonb, call), expected, format('%s with %s: the recording of %s', member, change, call)) from (values
    ('a.admin', '{}', 'a.call', '{"transcript": "Hello.", "recording_path": "a/recording.wav"}'),
    ('a.manager', '{}', 'a.call', '{"transcript": "Hello.", "recording_path": "a/recording.wav"}'),
    ('a.sales_rep', '{}', 'a.call.rep', '{"transcript": "Hello.", "recording_path": "a/recording.wav"}'),
    ('a.sales_rep', '{}', 'a.call', 'PT404'),
    ('a.sales_rep', '{"permissions": {"calls.read_all": true}}', 'a.call', '{"transcript": "Hello.", "recording_path": "a/recording.wav"}'),
    ('a.viewer', '{}', 'a.call', 'PT403'),
    ('a.viewer', '{"permissions": {"recordings.read": true}}', 'a.call', '{"transcript": "Hello.", "recording_path": "a/recording.wav"}'),
    ('a.viewer', '{"permissions": {"recordings.read": true, "calls.read": false}}', 'a.call', 'PT404'),
    ('a.admin', '{"permissions": {"recordings.read": false}}', 'a.call', 'PT403'),
    ('a.admin', '{}', 'nothing', 'PT404')
) as c (member, change, call, expected);
select tests.set_member('a.admin', '{}');
select is(tests.attempt('select recording_path from public.calls'), '42501', 'no column of it: recording_path');
select is(tests.attempt('select transcript from public.calls'), '42501', 'transcript');
select is(tests.attempt('select * from public.calls'), '42501', 'nor by *');
select is(tests.attempt('select id from public.calls where transcript ilike ''%hello%'''), '42501', 'nor by a condition');
select is(tests.attempt('select id, summary from public.calls'), '2 rows', 'the rest is readable');

select tests.as_owner();

-- The organization's status by role and verb: paused reads, cancelled reads for owner and admin.
create function tests.under_status(of_status text, of_role text) returns table (verb text, name text, actual text)
    language plpgsql
as $$
begin
    perform tests.as_owner();
    update public.organizations set status = of_status where id = tests.id('a');
    perform tests.set_member('a.' || of_role, '{}');
    return query
        select v, t, tests.attempt(tests.statement(v, t, 'a'))
        from unnest(array['select', 'insert', 'update', 'delete']) as v, unnest(array['leads', 'lessons']) as t;
    perform tests.as_owner();
end;
$$;
create temporary table active as
    select r as role, x.* from unnest(array['admin', 'manager', 'sales_rep', 'viewer']) as r, lateral tests.under_status('active', r) as x;
select is((select count(*)::integer from active where actual not in ('0 rows', '42501')), 19, 'active: what the roles may do');
select is(x.actual,
    case
        when x.verb = 'select' and (s = 'paused' or r = 'admin') then a.actual
        when x.verb = 'insert' then '42501'
        else '0 rows'
    end,
    format('%s: %s %s %s', s, r, x.verb, x.name))
from unnest(array['paused', 'cancelled']) as s
cross join unnest(array['admin', 'manager', 'sales_rep', 'viewer']) as r
cross join lateral tests.under_status(s, r) as x
join active a on a.role = r and a.verb = x.verb and a.name = x.name
order by s, r, x.name, x.verb;

select * from finish();
rollback;
