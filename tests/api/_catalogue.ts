// What the catalogue lists, and a tenant with a row in each table: for the tests that try something on everything.
import {
  freeNumber,
  ok,
  type Person,
  service,
  setting,
  sql,
  type Tenant,
  told,
  untyped,
} from "./_client.ts";

/** Tables that carry their tenant under another name than organization_id. */
const TENANT_COLUMN: Record<string, string> = {
  organizations: "id",
  profiles: "id",
  clients: "id",
  users: "client_id",
};
/** The column of a table that says whose its rows are. */
export const tenantColumn = (table: string) => TENANT_COLUMN[table] ?? "organization_id";

/** Every table and view of tenants that PostgREST offers; plans are the operator's (quotas_test). */
export const tables = async () =>
  (await sql((db) =>
    db`select relname::text from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
         and relname not in ('plans', 'plan_limits', 'plan_overrides')
       order by 1`
  )).map((row) => row.relname as string);

/** Every function that PostgREST offers, with its arguments set to NULL. */
export const rpcs = async () =>
  (await sql((db) =>
    db`select proname::text as name, coalesce(proargnames[:pronargs], '{}') as arguments from pg_proc
       where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype
       order by 1`
  )).map((row) => ({
    name: row.name as string,
    call: Object.fromEntries((row.arguments as string[]).map((name) => [name, null])),
  }));

interface TenantTable {
  name: string;
  tenant_column: string;
  granted: string[];
  insert_columns: string;
  insert_values: string;
  change: string;
}
const list = await Deno.readTextFile(new URL("../tenant_tables.sql", import.meta.url));

/** The tables of tests/tenant_tables.sql that carry their tenant in organization_id, in its order. */
export const tenantTables = (): Promise<TenantTable[]> =>
  sql(async (db) => {
    await db.unsafe(`begin; create schema tests; ${list}`);
    const rows = await db<TenantTable[]>`
      select * from tests.tenant_tables where tenant_column = 'organization_id' order by place`;
    await db`rollback`;
    return rows;
  });

/** By table, what a client may insert (but for the organization) where values are plain; or may update. */
export async function examples(
  verb: "insert" | "update",
): Promise<Record<string, Record<string, string | number | boolean>>> {
  const found: Record<string, Record<string, string>> = {};
  for (const { name, granted, insert_columns, insert_values, change } of await tenantTables()) {
    if (!granted.includes(verb) || verb === "insert" && !granted.includes("select")) continue;
    if (verb === "insert" && /tests\.id\(|'\{/.test(insert_values)) continue;
    const [columns, values] = verb === "insert"
      ? [insert_columns, insert_values]
      : change.split(" = ") as [string, string];
    const [row] = await sql((db) =>
      db.unsafe(`select to_jsonb(r) as r from (values (${values})) as r (${columns})`)
    );
    found[name] = row!.r;
  }
  return found;
}

/** One row of tenant A in every table, and what points at them. */
export async function populate(a: Tenant) {
  const one = async (table: string, row: Record<string, unknown>): Promise<string> =>
    ok(await untyped(a.as).from(table).insert(row).select("id").single()).id;
  const provider_account_id = await one("provider_accounts", {
    provider: "twilio",
    account_ref: `AC-${crypto.randomUUID()}`,
    credentials: { authToken: "t" },
  });
  const prompt_structure = { goal: { content: "Secret of A.", source: "user", why: "" } };
  const prompt_id = await one("prompts", { name: "Prompt", prompt_structure });
  const prompt_version_id = ok(
    await a.as.rpc("publish_prompt", { prompt_id, reason: "test" }),
  ).id;
  const agent_id = await one("agents", { name: "Agent", prompt_version_id });
  const { typed, e164 } = await freeNumber();
  const phone_number_id = ok(
    await a.as.rpc("add_phone_number", { phone_number: typed, provider_account_id, agent_id }),
  ).id;
  const campaign_settings_id = await one("campaign_settings", { name: "S", m1_message: "Hello" });
  const dataset_id = await one("datasets", { name: "List", campaign_settings_id });
  const rows = [{ first_name: "Lead 001", phone_number: "07700 900001" }];
  const { upload_id } = told(
    "import_leads",
    await a.as.rpc("import_leads", { dataset_id, rows, options: { required_fields: [] } }),
  );
  const lead_id = ok(await a.as.from("leads").select("id").single()).id;
  ok(await a.as.rpc("invite_member", { email: "invited@a.example", role: "viewer" }));
  await one("lessons", { lesson_type: "never_rule", title: "Secret lesson of A" });
  const template_id = await one("prompt_templates", {
    name: "T",
    description: "d",
    category: "c",
    template_structure: {},
  });
  const { call_id } = told(
    "route_inbound_call",
    await service().rpc("route_inbound_call", {
      called: e164,
      caller: "+447700900001",
      provider: "twilio",
      provider_sid: `CA${crypto.randomUUID()}`,
    }),
  );
  await sql((db) =>
    db`insert into public.support_sessions (organization_id, admin_id, reason, capabilities, expires_at)
       values (${a.id}, ${a.owner.id}, 'test', '{leads.read}', now() + interval '1 hour')`
  );
  const ids = {
    provider_account_id,
    prompt_id,
    prompt_version_id,
    agent_id,
    phone_number_id,
    campaign_settings_id,
    dataset_id,
    lead_id,
    upload_id,
    template_id,
    call_id: call_id as string,
  };
  await populateOthers(a, ids);
  return ids;
}

/** A row, written by SQL, of each table that has none of A's yet. */
async function populateOthers(a: Tenant, ids: Record<string, string>) {
  const others = await tenantTables();
  await sql(async (db) => {
    for (const { name, insert_columns, insert_values } of others) {
      const rows = await db`select from public.${db(name)} where organization_id = ${a.id} limit 1`;
      if (rows.length) continue;
      const values = insert_values
        .replace(/tests\.id\('\$t\.(\w+)'\)/g, (_, row) => `'${ids[`${row}_id`]}'`)
        .replaceAll("$t", a.slug);
      await db.unsafe(
        `insert into public.${name} (organization_id, ${insert_columns}) values ('${a.id}', ${values})`,
      );
    }
  });
}

/** What an attack must not bring to light of a tenant: its id, and the id of every row that it has. */
export async function secretsOf(a: Tenant): Promise<string[]> {
  const found = new Set<string>([a.id, a.slug, a.owner.id]);
  for (const table of await tables()) {
    const rows = await sql((db) =>
      db`select to_jsonb(t) ->> 'id' as id from public.${db(table)} t
         where to_jsonb(t) ->> ${tenantColumn(table)} = ${a.id}`
    );
    for (const { id } of rows) if (id) found.add(id);
  }
  return [...found];
}

/** A request as any HTTP client would send it. */
export async function raw(
  person: Person | null,
  path: string,
  init: RequestInit = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; range: string | null }> {
  const all = new Headers({ apikey: setting("SUPABASE_ANON_KEY"), ...headers });
  if (person) all.set("authorization", `Bearer ${person.token}`);
  if (init.body && !all.has("content-type")) all.set("content-type", "application/json");
  const response = await fetch(`${setting("SUPABASE_URL")}/rest/v1/${path}`, {
    ...init,
    headers: all,
  });
  return {
    status: response.status,
    text: await response.text(),
    range: response.headers.get("content-range"),
  };
}

/** The columns of a table that a signed-in user may read, for `select`. */
export async function readable(table: string): Promise<string> {
  const rows = await sql((db) =>
    db`select attname::text as name from pg_attribute
       where attrelid = ${`public.${table}`}::regclass and attnum > 0 and not attisdropped
         and has_column_privilege('authenticated', attrelid, attnum, 'select')
       order by attnum`
  );
  return rows.map(({ name }) => name).join(",");
}
