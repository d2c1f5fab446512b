-- How it is measured. Each run is a transaction of its own, as a request is, so nothing that a helper remembers within
-- one is there for the next; it is rolled back.

-- A token's claims as Supabase Auth writes them, of exactly this many bytes: below 900 the least that PostgREST and we
-- need, above a sign-in with Google, and for 9,700 with the many members that a hook or an identity provider may add.
create function bench.claims(user_n integer, bytes integer default 953) returns text
    language plpgsql stable
as $$
declare
    sub constant text := bench.id('user', user_n);
    email constant text := 'user' || user_n || '@bench.example';
    iat constant integer := extract(epoch from now());
    claims text;
begin
    if bytes < 900 then
        claims := format('{"aud":"authenticated","exp":%s,"sub":"%s","role":"authenticated"~}', iat + 3600, sub);
    else
        claims := format('{"iss":"http://127.0.0.1:54321/auth/v1","sub":"%1$s","aud":"authenticated","exp":%2$s,"iat":%3$s,'
            '"email":"%4$s","phone":"","app_metadata":{"provider":"google","providers":["google"]},"user_metadata":{'
            '"email":"%4$s","email_verified":true,"full_name":"User","iss":"https://accounts.google.com","name":"User",'
            '"phone_verified":false,"provider_id":"108000000000000000000","sub":"108000000000000000000"%5$s~},'
            '"role":"authenticated","aal":"aal1","amr":[{"method":"oauth","timestamp":%3$s}],"session_id":"%1$s",'
            '"is_anonymous":false}', sub, iat + 3600, iat, email,
            (
                select string_agg(format(',"member_%s":"%s"', n, left(md5(n::text), 20)), '')
                from generate_series(1, (bytes - 700) / 36) as n
            ));
    end if;
    return replace(claims, '~', format(',"picture":"%s"', repeat('x', bytes - length(claims) - 12)));
end;
$$;

create table bench.result (
    variant integer not null,
    statement integer not null,
    planning numeric not null,
    execution numeric not null,
    without numeric not null,
    plan jsonb not null,
    primary key (variant, statement)
);
comment on table bench.result is
    'ms of the fastest run; without: of the fastest run of bench.statement.without, which is variant 0, in the same minutes.';

-- Keeps the fastest of all rounds.
create procedure bench.keep(p_variant integer, p_statement integer, p_plan jsonb, p_without numeric)
    language sql
as $$
    insert into bench.result as kept (variant, statement, planning, execution, without, plan)
        values (p_variant, p_statement, (p_plan #>> '{0,Planning Time}')::numeric, (p_plan #>> '{0,Execution Time}')::numeric,
            p_without, p_plan)
        on conflict (variant, statement) do update
            set (planning, execution, plan) = (
                    select r.planning, r.execution, r.plan
                    from (
                        values (kept.planning, kept.execution, kept.plan), (excluded.planning, excluded.execution, excluded.plan)
                    ) as r (planning, execution, plan)
                    order by r.planning + r.execution
                    limit 1
                ),
                without = least(kept.without, excluded.without)
$$;

-- One statement under the policy in force and without, in random order: turns would fall in step with whoever shares the
-- processor. Up to bench.statement.runs runs of each, at least 5, no more after 1.5 s.
create procedure bench.measure(p_variant integer, p_statement integer)
    language plpgsql
as $$
declare
    measured constant bench.statement := (select s from bench.statement as s where s.n = p_statement);
    claims constant text := bench.claims(measured.user_n);
    tenant constant text := bench.id('organization', measured.tenant_n);
    started constant timestamptz := clock_timestamp();
    explain constant text := 'explain (analyze, timing off, format json) ';
    plan jsonb;
    best jsonb;
    best_without jsonb;
    runs integer := 0;
    runs_without integer := 0;
begin
    loop
        if random() < 0.5 then
            execute explain || measured.without into plan;
            rollback;
            runs_without := runs_without + 1;
            if best_without is null or bench.total(plan) < bench.total(best_without) then
                best_without := plan;
            end if;
        else
            perform set_config('request.jwt.claims', claims, true), set_config('bench.organization', tenant, true),
                set_config('role', 'authenticated', true);
            execute explain || measured.command into plan;
            rollback;
            runs := runs + 1;
            if best is null or bench.total(plan) < bench.total(best) then
                best := plan;
            end if;
        end if;
        exit when least(runs, runs_without) >= measured.runs
            or least(runs, runs_without) >= 5 and clock_timestamp() > started + interval '1.5 seconds';
    end loop;
    call bench.keep(p_variant, p_statement, best, bench.total(best_without));
    call bench.keep(0, p_statement, best_without, bench.total(best_without));
    commit;
end;
$$;

create function bench.total(plan jsonb) returns numeric
    language sql immutable
    return (plan #>> '{0,Planning Time}')::numeric + (plan #>> '{0,Execution Time}')::numeric;

-- Nanoseconds that this backend has spent on a CPU since it started.
create function bench.cpu() returns bigint
    language sql volatile
    return split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint;

create table bench.pooled (
    n integer generated always as identity,
    name text not null,
    transactions integer not null,
    us numeric not null,
    foreign_rows bigint not null,
    missing_rows bigint not null
);
comment on column bench.pooled.us is 'Microseconds of the clock for one transaction of all clients together.';
