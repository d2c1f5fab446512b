// Many tenants over few connections. PgBouncer in transaction mode gives every transaction whichever of three server
// connections is free, so what a transaction leaves behind in its connection, the next tenant would meet. Nothing may be:
// each transaction sets role, claims and headers for itself as PostgREST does, and sees its own tenant's rows only.
import assert from "node:assert/strict";
import {
  member,
  ok,
  type Person,
  person,
  setting,
  sql,
  type Tenant,
  tenant,
  undecided,
} from "./_client.ts";
import { postgres } from "./_postgres.ts";

const TRANSACTIONS = 10_000;
const REQUESTS = 1_000;
const CLIENTS = 24;

/** Through PgBouncer as PostgREST connects: simple queries, no statement outlives its transaction. */
const pooled = (max: number) =>
  postgres(setting("POOLED_DATABASE_URL"), {
    max,
    prepare: false,
    fetch_types: false,
    onnotice: () => {},
  });

/** What a transaction of the run does after it has said who asks. */
type Kind =
  | "read"
  | "read in a savepoint"
  | "write and roll back"
  | "raise an error"
  | "cancel"
  | "time out"
  | "say nothing";

interface Asker {
  person: Person;
  /** The header, or null to leave the choice to the database. */
  organization: string | null;
  /** The only organization whose rows may appear; null for somebody who must see none. */
  sees: string | null;
}

/** As PostgREST: one statement that sets role, claims and headers for the transaction. */
function whoAsks({ person, organization }: Asker): string {
  const claims = { sub: person.id, role: "authenticated", aud: "authenticated" };
  const headers = organization ? { "x-organization-id": organization } : {};
  return `select set_config('role', 'authenticated', true),
    set_config('request.jwt.claims', '${JSON.stringify(claims)}', true),
    set_config('request.headers', '${JSON.stringify(headers)}', true),
    set_config('request.method', 'GET', true), set_config('request.path', '/leads', true),
    pg_backend_pid() as pid`;
}

/** The tenants whose rows are visible, in several tables at once. */
const VISIBLE = `
  select 'leads' as place, organization_id from public.leads
  union all select 'agents', organization_id from public.agents
  union all select 'datasets', organization_id from public.datasets
  union all select 'the resolver', switchboard.current_organization_id()
    where switchboard.current_organization_id() is not null`;

async function populate(one: Tenant): Promise<void> {
  ok(await one.as.from("agents").insert({ name: "Agent" }).select("id"));
  const { id } = ok(await one.as.from("datasets").insert({ name: "List" }).select("id").single());
  const rows = [1, 2, 3].map((n) => ({
    dataset_id: id,
    first_name: `Lead 00${n}`,
    phone_number: `07700 90000${n}`,
  }));
  ok(await one.as.from("leads").insert(rows).select("id"));
}

/** Six tenants, a person in two of them, one who was suspended and one who belongs nowhere. */
async function makeAskers(): Promise<Asker[]> {
  const tenants: Tenant[] = [];
  for (let n = 0; n < 6; n++) tenants.push(await tenant());
  for (const one of tenants) await populate(one);
  const askers: Asker[] = [];
  for (const one of tenants) {
    askers.push({ person: one.owner, organization: one.id, sees: one.id });
    askers.push({ person: await member(one, "manager"), organization: null, sees: one.id });
    // Names somebody else's organization.
    const other = tenants[(tenants.indexOf(one) + 1) % tenants.length]!;
    askers.push({ person: one.owner, organization: other.id, sees: null });
  }
  const both = await member(tenants[0]!, "owner");
  await sql((db) =>
    db`insert into public.memberships (organization_id, user_id, role)
       values (${tenants[1]!.id}, ${both.id}, 'owner')`
  );
  await undecided(both);
  askers.push({ person: both, organization: tenants[0]!.id, sees: tenants[0]!.id });
  askers.push({ person: both, organization: tenants[1]!.id, sees: tenants[1]!.id });
  askers.push({ person: both, organization: null, sees: null });
  askers.push({ person: await person(), organization: null, sees: null });
  const suspended = await member(tenants[2]!, "admin");
  await sql((db) =>
    db`update public.memberships set status = 'suspended' where user_id = ${suspended.id}`
  );
  askers.push({ person: suspended, organization: null, sees: null });
  return askers;
}

const isCode = (error: unknown, code: string) =>
  error instanceof postgres.PostgresError && error.code === code;

/**
 * One transaction; returns what it saw that it must not, and what it did not see that it must. `met` hears which server
 * connection it got; `cancel` cancels what that one runs.
 */
async function transact(
  db: postgres.Sql,
  asker: Asker,
  kind: Kind,
  met: (pid: number) => void,
  cancel: (pid: number) => Promise<void>,
): Promise<string[]> {
  const wrong: string[] = [];
  const look = async (tx: postgres.TransactionSql) => {
    const rows = await tx.unsafe(VISIBLE);
    const places = new Set<string>();
    for (const { place, organization_id } of rows) {
      places.add(place);
      if (organization_id !== asker.sees) wrong.push(`${kind}: ${place} of ${organization_id}`);
    }
    if (asker.sees && places.size < 4) wrong.push(`${kind}: sees only ${[...places]}`);
  };
  const undone = new Error("undone");
  try {
    await db.begin(async (tx) => {
      if (kind === "say nothing") {
        await tx.unsafe("select set_config('role', 'authenticated', true)");
        const rows = await tx.unsafe(VISIBLE);
        if (rows.length > 0) wrong.push(`${kind}: sees ${rows.length} rows`);
        const [left] = await tx.unsafe(
          `select concat(current_setting('request.jwt.claims', true), current_setting('request.headers', true)) as text`,
        );
        if (left?.text !== "") wrong.push(`${kind}: finds ${left?.text}`);
        return;
      }
      const [{ pid } = { pid: 0 }] = await tx.unsafe<{ pid: number }[]>(whoAsks(asker));
      met(pid);
      await look(tx);
      switch (kind) {
        case "read":
          break;
        case "read in a savepoint":
          await tx.savepoint(async (point) => {
            await look(point);
            // Somebody else inside the savepoint, which is then rolled back: so is who asked.
            await point.unsafe(
              `select set_config('request.jwt.claims', '{"sub": "${crypto.randomUUID()}", "role": "authenticated"}', true)`,
            );
            const rows = await point.unsafe(VISIBLE);
            if (rows.length > 0) wrong.push(`${kind}: a stranger sees ${rows.length} rows`);
            throw undone;
          }).catch((error) => {
            if (error !== undone) throw error;
          });
          await look(tx);
          break;
        case "write and roll back":
          await tx.unsafe("update public.leads set notes = 'written'");
          throw undone;
        case "raise an error":
          await tx.unsafe("select 1 / 0");
          break;
        case "cancel":
          await Promise.all([tx.unsafe("select pg_sleep(30)"), cancel(pid)]);
          break;
        case "time out":
          await tx.unsafe("set local statement_timeout = '1ms'");
          await tx.unsafe("select pg_sleep(30)");
      }
    });
  } catch (error) {
    const expected = error === undone || isCode(error, "22012") && kind === "raise an error" ||
      isCode(error, "57014") && (kind === "cancel" || kind === "time out");
    if (!expected) throw error;
  }
  return wrong;
}

const KINDS: [Kind, number][] = [
  ["read", 70],
  ["read in a savepoint", 8],
  ["write and roll back", 6],
  ["raise an error", 6],
  ["say nothing", 6],
  ["time out", 3],
  ["cancel", 1],
];
const PLAN = KINDS.flatMap(([kind, share]) => Array<Kind>(share).fill(kind));

Deno.test("ten thousand transactions of many tenants over three connections: no row of another", async () => {
  const askers = await makeAskers();
  const db = pooled(CLIENTS);
  // Not through PgBouncer: it looks at the server connections from outside.
  const outside = postgres(setting("DATABASE_URL"), { max: 2, onnotice: () => {} });
  const lastOn = new Map<number, Asker>();
  const done = new Map<Kind, number>();
  let switches = 0;
  const wrong: string[] = [];
  // A cancel that is sent before the query runs would be lost, one sent twice would hit the next tenant's.
  const cancel = async (pid: number) => {
    for (;;) {
      const sent = await outside`
        select pg_cancel_backend(pid) from pg_stat_activity
        where pid = ${pid} and state = 'active' and query = 'select pg_sleep(30)'`;
      if (sent.length > 0) return;
    }
  };
  const start = performance.now();
  let next = 0;
  const work = async () => {
    while (next < TRANSACTIONS) {
      const n = next++;
      const asker = askers[(n * 7 + (n >> 5)) % askers.length]!;
      const kind = PLAN[(n * 37) % PLAN.length]!;
      const met = (pid: number) => {
        if (lastOn.get(pid) !== asker) switches++;
        lastOn.set(pid, asker);
      };
      wrong.push(...await transact(db, asker, kind, met, cancel));
      done.set(kind, (done.get(kind) ?? 0) + 1);
    }
  };
  try {
    await Promise.all(Array.from({ length: CLIENTS }, work));
  } finally {
    await db.end();
    await outside.end();
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${TRANSACTIONS} transactions of ${askers.length} people in ${seconds} s over ${lastOn.size} server connections, ` +
      `${switches} changes of person on one: ${[...done].map((one) => one.join(" ")).join(", ")}`,
  );
  assert.deepEqual(wrong.slice(0, 10), []);
  assert.ok(lastOn.size <= 3, `${lastOn.size} server connections`);
  assert.ok(switches > TRANSACTIONS / 2, "connections went from one person to another");
  for (const [kind] of KINDS) assert.ok((done.get(kind) ?? 0) > 0, kind);
});

Deno.test("PostgREST behind the pooler: a thousand requests of many tenants, no row of another", async () => {
  const askers = await makeAskers();
  const rest = setting("POOLED_REST_URL");
  const wrong: string[] = [];
  let next = 0;
  let answered = 0;
  const ask = async (asker: Asker | null, path: string, init: RequestInit = {}) => {
    const headers = new Headers({ "content-type": "application/json" });
    if (asker) headers.set("authorization", `Bearer ${asker.person.token}`);
    if (asker?.organization) headers.set("x-organization-id", asker.organization);
    const response = await fetch(`${rest}${path}`, { ...init, headers });
    return { status: response.status, body: await response.json().catch(() => null) };
  };
  const work = async () => {
    while (next < REQUESTS) {
      const n = next++;
      const asker = askers[(n * 7 + (n >> 4)) % askers.length]!;
      switch (n % 10) {
        case 7: {
          // Fails inside its transaction.
          const { status } = await ask(asker, "/leads?id=eq.x");
          if (status !== 400) wrong.push(`malformed: ${status}`);
          break;
        }
        case 8: {
          const { status } = await ask(null, "/leads?select=id");
          if (status !== 401) wrong.push(`anon: ${status}`);
          break;
        }
        case 9: {
          const { body } = await ask(asker, "/rpc/whoami", { method: "POST", body: "{}" });
          if ((body.organization_id ?? null) !== asker.sees || body.user_id !== asker.person.id) {
            wrong.push(`whoami: ${JSON.stringify(body)}`);
          } else answered++;
          break;
        }
        default: {
          const table = ["leads", "agents", "datasets"][n % 3]!;
          const { status, body } = await ask(asker, `/${table}?select=organization_id`);
          if (status !== 200) wrong.push(`${table}: ${status} ${JSON.stringify(body)}`);
          const rows = (body ?? []) as { organization_id: string }[];
          for (const row of rows) {
            if (row.organization_id !== asker.sees) {
              wrong.push(`${table} of ${row.organization_id}`);
            }
          }
          if (asker.sees && rows.length === 0) wrong.push(`${table}: no row`);
          answered++;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
  assert.deepEqual(wrong.slice(0, 10), []);
  assert.ok(answered > REQUESTS / 2);
});

// The tests above could pass because the pool never hands a connection on. Here is the mistake that they look for, a
// tenant kept in a setting of the session, over the same pool: it leaks at once.
Deno.test("a tenant kept in the session does leak over this pool", async () => {
  await sql((db) =>
    db.unsafe(`
      drop schema if exists naive cascade;
      create schema naive;
      create table naive.leads (tenant text);
      insert into naive.leads values ('a'), ('b');
      alter table naive.leads enable row level security;
      create policy leads_select on naive.leads for select to authenticated
        using (tenant = current_setting('naive.tenant', true));
      grant usage on schema naive to authenticated;
      grant select on naive.leads to authenticated;
    `)
  );
  const db = pooled(4);
  try {
    const role = "select set_config('role', 'authenticated', true)";
    // Three at a time, so that each of the three connections gets a tenant.
    let waiting = 0;
    let open = () => {};
    const allHere = new Promise<void>((resolve) => open = resolve);
    await Promise.all([1, 2, 3].map(() =>
      db.begin(async (tx) => {
        await tx.unsafe(`${role}, set_config('naive.tenant', 'a', false)`);
        if (++waiting === 3) open();
        await allHere;
      })
    ));
    // Somebody who says nothing.
    const rows = await db.begin(async (tx) => {
      await tx.unsafe(role);
      return await tx.unsafe("select tenant from naive.leads");
    });
    assert.deepEqual(rows.map(({ tenant }) => tenant), ["a"]);
  } finally {
    await db.end();
    await sql((db) => db.unsafe("drop schema naive cascade"));
  }
});

Deno.test("a membership that ends while a transaction is open ends in that transaction", async () => {
  const a = await tenant();
  await populate(a);
  const someone = await member(a, "viewer");
  const asker = { person: someone, organization: a.id, sees: a.id };
  const set = (status: string) =>
    sql((db) => db`update public.memberships set status = ${status} where user_id = ${someone.id}`);
  const db = pooled(1);
  try {
    for (
      const [isolation, afterwards] of [["read committed", 0], ["repeatable read", 3]] as const
    ) {
      await db.begin(`isolation level ${isolation}`, async (tx) => {
        await tx.unsafe(whoAsks(asker));
        assert.equal((await tx.unsafe("select 1 from public.leads")).length, 3);
        await set("suspended");
        // REPEATABLE READ goes on seeing the moment at which it began, memberships included.
        assert.equal((await tx.unsafe("select 1 from public.leads")).length, afterwards, isolation);
        await set("active");
        assert.equal((await tx.unsafe("select 1 from public.leads")).length, 3);
      });
    }
  } finally {
    await db.end();
  }
});
