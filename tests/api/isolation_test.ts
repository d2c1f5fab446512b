// Tenant A against everybody else, over every table and RPC that the catalogue lists: a table that a
// later migration adds is tested from its first day, or fails here for want of a row to look for.
import assert from "node:assert/strict";
import { examples, populate, rpcs, tables, tenantColumn } from "./_catalogue.ts";
import { anon, client, member, nothing, ok, refused, service, sql, tenant } from "./_client.ts";
import { untyped } from "./_client.ts";

Deno.test("another tenant's owner reads no row of any table; tenant A's owner reads one in each", async (t) => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(a);
  for (const table of await tables()) {
    await t.step(table, async () => {
      const column = tenantColumn(table);
      const wanted = table === "profiles" ? a.owner.id : a.id;
      const own = ok(await untyped(a.as).from(table).select(column).eq(column, wanted));
      assert.ok(
        own.length > 0,
        `tenant A has no row in ${table}: add it to tests/tenant_tables.sql`,
      );
      const other = untyped(b.as);
      nothing(await other.from(table).select(column).eq(column, wanted));
      const all = ok(await other.from(table).select<string, Record<string, string | null>>(column));
      const strangers = all.filter((row) =>
        ![b.id, b.owner.id, null].includes(row[column] ?? null)
      );
      assert.deepEqual(strangers, [], "only own rows, or system rows");

      // Naming tenant A's organization in the header does not help.
      const pretending = untyped(client(b.owner, a.id));
      nothing(await pretending.from(table).select(column).eq(column, wanted));
    });
  }
});

Deno.test("another tenant's owner deletes nothing, and inserts nothing in our name", async (t) => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(a);
  const rowsOf = async (table: string) => {
    const column = tenantColumn(table);
    const wanted = table === "profiles" ? a.owner.id : a.id;
    const rows = await sql((db) =>
      db`select count(*)::int as n from public.${db(table)} where ${db(column)} = ${wanted}`
    );
    return rows[0]?.n as number;
  };
  for (const table of await tables()) {
    await t.step(table, async () => {
      const column = tenantColumn(table);
      const wanted = table === "profiles" ? a.owner.id : a.id;
      const before = await rowsOf(table);
      for (const as of [b.as, client(b.owner, a.id)].map(untyped)) {
        const deleted = await as.from(table).delete().eq(column, wanted).select(column);
        if (deleted.error) refused(deleted, 403, "42501");
        else nothing(deleted);
        const row: Record<string, string> = { [column]: wanted };
        // 42501 is the policy or the grant; 23502 would mean that only an absent column stopped it.
        refused(await as.from(table).insert(row), 403, "42501");
      }
      assert.equal(await rowsOf(table), before);
    });
  }
});

Deno.test("another tenant's owner changes nothing", async () => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(a);
  for (
    const [table, change] of Object.entries({
      ...await examples("update"),
      agents: { name: "theirs" },
      provider_accounts: { credentials: { authToken: "theirs" } },
      phone_numbers: { status: "inactive" },
      customers: { name: "theirs" },
      campaign_settings: { m1_message: "theirs" },
      datasets: { name: "theirs" },
      leads: { contact_status: "HOT" },
      lessons: { title: "theirs" },
      prompts: { name: "theirs" },
      prompt_templates: { name: "theirs" },
    })
  ) {
    for (const as of [b.as, client(b.owner, a.id)].map(untyped)) {
      nothing(await as.from(table).update(change).eq("organization_id", a.id).select("id"));
    }
    const own = await untyped(a.as).from(table).update(change).eq("organization_id", a.id).select(
      "id",
    );
    assert.equal(ok(own).length, 1, `${table}: the same update is allowed to its owner`);
  }
});

Deno.test("anon gets nothing from any table", async (t) => {
  for (const table of await tables()) {
    await t.step(table, async () => {
      const column = tenantColumn(table);
      const nobody = untyped(anon());
      refused(await nobody.from(table).select(column), 401, "42501");
      refused(await nobody.from(table).insert({ [column]: null }), 401, "42501");
      const change = nobody.from(table).update({ [column]: null });
      refused(await change.eq(column, crypto.randomUUID()), 401, "42501");
      refused(await nobody.from(table).delete().not(column, "is", null), 401, "42501");
    });
  }
});

Deno.test("anon can call no function", async (t) => {
  for (const { name, call } of await rpcs()) {
    await t.step(name, async () => {
      refused(await untyped(anon()).rpc(name, call), 401, "42501");
    });
  }
});

Deno.test("the functions of server code are refused to every role of a tenant", async () => {
  const a = await tenant();
  const server = ["route_inbound_call", "provider_credentials"];
  const all = await rpcs();
  for (const role of ["owner", "admin", "manager", "sales_rep", "viewer"] as const) {
    const as = untyped(role === "owner" ? a.as : client(await member(a, role), a.id));
    for (const name of server) {
      const call = all.find((one) => one.name === name)?.call;
      assert.ok(call, `${name} is missing`);
      refused(await as.rpc(name, call), 403, "42501");
    }
  }
});

Deno.test("the extension's schema and the private one are not exposed", async () => {
  const a = await tenant();
  for (const schema of ["switchboard", "private", "auth"]) {
    const inside = untyped(a.as).schema(schema);
    for (
      const answer of [await inside.from("root_keys").select("kid"), await inside.rpc("unseal")]
    ) {
      refused(answer, 406, "PGRST106");
    }
  }
  const functions = await rpcs();
  for (const name of ["seal", "unseal", "exec_sql", "sql"]) {
    assert.ok(!functions.some((one) => one.name === name), name);
  }
});

Deno.test("no reference of tenant B reaches a row of tenant A", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const theirs = await populate(a);
  const ours = await populate(b);
  for (
    const [table, id, column, value] of [
      ["agents", ours.agent_id, "prompt_version_id", theirs.prompt_version_id],
      ["phone_numbers", ours.phone_number_id, "agent_id", theirs.agent_id],
      ["phone_numbers", ours.phone_number_id, "provider_account_id", theirs.provider_account_id],
      ["campaign_settings", ours.campaign_settings_id, "sender_number_id", theirs.phone_number_id],
      ["datasets", ours.dataset_id, "campaign_settings_id", theirs.campaign_settings_id],
      ["leads", ours.lead_id, "dataset_id", theirs.dataset_id],
      ["leads", ours.lead_id, "assigned_to", a.owner.id],
      ["leads", ours.lead_id, "duplicate_of", theirs.lead_id],
      ["prompts", ours.prompt_id, "dataset_id", theirs.dataset_id],
    ] as const
  ) {
    const answer = await untyped(b.as).from(table).update({ [column]: value }).eq("id", id);
    const error = refused(answer, 409, "23503");
    // The same words as for an id that exists nowhere: a foreign key is no oracle.
    const nowhere = crypto.randomUUID();
    const unknown = await untyped(b.as).from(table).update({ [column]: nowhere }).eq("id", id);
    const other = refused(unknown, 409, "23503");
    assert.equal(error.message, other.message, `${table}.${column}`);
    assert.equal(error.details?.replace(value, "?"), other.details?.replace(nowhere, "?"));
  }
  const copied = { name: "P", template_id: theirs.template_id };
  refused(await b.as.from("prompts").insert(copied), 409, "23503");
});

Deno.test("a backend with the service key works on every tenant, and names the organization", async () => {
  const a = await tenant();
  const made = await populate(a);
  const server = service();
  for (
    const table of [
      "phone_numbers",
      "agents",
      "leads",
      "prompt_versions",
      "provider_accounts",
      "audit_log",
    ]
  ) {
    const rows = ok(await untyped(server).from(table).select("*").eq("organization_id", a.id));
    assert.ok(rows.length > 0, table);
  }
  const row = { organization_id: a.id, name: `Of the server ${crypto.randomUUID()}` };
  const dataset = ok(await server.from("datasets").insert(row).select("id").single()).id;
  const lead = {
    organization_id: a.id,
    dataset_id: dataset,
    first_name: "New",
    phone_number: "07700 900 061",
  };
  const added = ok(await server.from("leads").insert(lead).select("*").single());
  assert.equal(added.phone_number, "+447700900061");
  const again = { organization_id: a.id, id: made.agent_id, name: "Upserted" };
  const upserted = await server.from("agents").upsert(again).select("id,name").single();
  assert.deepEqual(ok(upserted), { id: made.agent_id, name: "Upserted" });
  ok(await server.from("leads").delete().eq("id", added.id).select("id").single());

  const { organization_id: _, ...nobodys } = row;
  const error = refused(await server.from("datasets").insert(nobodys), 400, "PT400");
  assert.equal(error.message, "organization_required");
  const named = service({ "x-organization-id": a.id });
  ok(
    await named.from("datasets").insert({ name: `By header ${crypto.randomUUID()}` }).select("id"),
  );
});

Deno.test("what nobody has, the service key has not: counters, history, another tenant's reference", async () => {
  const a = await tenant();
  const b = await tenant();
  const [made, theirs] = [await populate(a), await populate(b)];
  const server = untyped(service());
  const changes = [
    ["datasets", { total_leads: 9 }, made.dataset_id, 403, "42501"],
    ["prompts", { compiled_prompt: "x" }, made.prompt_id, 403, "42501"],
    ["leads", { dataset_id: theirs.dataset_id }, made.lead_id, 409, "23503"],
    ["leads", { organization_id: b.id }, made.lead_id, 403, "42501"],
  ] as const;
  for (const [table, change, id, status, code] of changes) {
    refused(await server.from(table).update(change).eq("id", id), status, code);
  }
  for (const history of ["audit_log", "prompt_versions", "suppressions", "support_sessions"]) {
    refused(await server.from(history).delete().eq("organization_id", a.id), 403, "42501");
  }
});
