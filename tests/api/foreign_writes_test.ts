// Writes that carry another tenant's id in every form that PostgREST takes: a batch with one foreign row, CSV, upserts,
// a list of columns, a representation asked for. Refused as a whole, and nothing changes.
import assert from "node:assert/strict";
import { examples, populate, raw } from "./_catalogue.ts";
import { ok, sql, type Tenant, tenant } from "./_client.ts";

/** What a client may insert, but for the organization. */
const ROWS: Record<string, Record<string, unknown>> = {
  ...await examples("insert"),
  agents: { name: "New" },
  customers: { phone_number: "+447700900042" },
  lessons: { lesson_type: "never_rule", title: "New" },
  datasets: { name: "New" },
  campaign_settings: { m1_message: "Hello" },
  prompts: { name: "New" },
};

const rowsOf = async (table: string, of: Tenant) =>
  (await sql((db) =>
    db`select count(*)::int as n from public.${db(table)} where organization_id = ${of.id}`
  ))[0]?.n as number;

Deno.test("another tenant's id in a write is refused, with everything beside it", async (t) => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(a);
  for (const [table, row] of Object.entries(ROWS)) {
    await t.step(table, async () => {
      const before = [await rowsOf(table, a), await rowsOf(table, b)];
      const mine = { ...row, organization_id: b.id };
      const theirs = { ...row, organization_id: a.id };
      const names = Object.keys(mine);
      const csv = (values: Record<string, unknown>) =>
        names.map((name) => values[name as keyof typeof values]).join(",");
      const attempts: [string, string, RequestInit, Record<string, string>][] = [
        ["one row", table, { body: JSON.stringify(theirs) }, {}],
        ["returned", table, { body: JSON.stringify(theirs) }, { prefer: "return=representation" }],
        ["a batch", table, { body: JSON.stringify([mine, theirs]) }, {}],
        ["the foreign one first", table, { body: JSON.stringify([theirs, mine]) }, {}],
        ["CSV", table, { body: `${names.join(",")}\n${csv(mine)}\n${csv(theirs)}\n` }, {
          "content-type": "text/csv",
        }],
        [
          "columns",
          `${table}?columns=${names.join(",")}`,
          { body: JSON.stringify([mine, theirs]) },
          {},
        ],
        ["upsert", table, { body: JSON.stringify(theirs) }, {
          prefer: "resolution=merge-duplicates,return=representation",
        }],
        ["upsert that ignores", table, { body: JSON.stringify([mine, theirs]) }, {
          prefer: "resolution=ignore-duplicates",
        }],
        ["null", table, { body: JSON.stringify({ ...row, organization_id: null }) }, {}],
      ];
      for (const [title, path, init, headers] of attempts) {
        for (const organization of [b.id, a.id]) {
          const answer = await raw(b.owner, path, { method: "POST", ...init }, {
            "x-organization-id": organization,
            ...headers,
          });
          assert.deepEqual(
            [answer.status, JSON.parse(answer.text).code],
            [403, "42501"],
            `${title}: ${answer.text}`,
          );
          // A policy's refusal names its table, not the tenant or the row.
          assert.ok(!answer.text.includes(a.id), title);
        }
      }
      assert.deepEqual([await rowsOf(table, a), await rowsOf(table, b)], before);
      const allowed = await raw(b.owner, table, { method: "POST", body: JSON.stringify(mine) }, {
        prefer: "return=representation",
      });
      assert.equal(allowed.status, 201, allowed.text);
    });
  }
});

Deno.test("no trigger tells a stranger whether an organization exists, or its country", async () => {
  const b = await tenant();
  const others = [await tenant(), await tenant({ default_country: "US" })];
  const rows: [string, Record<string, unknown>][] = [
    ["customers", { phone_number: "020 7183 8750" }],
    ["customers", { phone_number: "(415) 555-0132" }],
    [
      "provider_accounts",
      { provider: "twilio", account_ref: "AC", credentials: { authToken: "x" } },
    ],
  ];
  // A refusal repeats what was sent, and the id that the row would have had.
  const answer = async (table: string, row: Record<string, unknown>, organization_id: string) => {
    const body = JSON.stringify({ ...row, organization_id });
    const { status, text } = await raw(b.owner, table, { method: "POST", body });
    assert.ok(status === 400 || status === 403, text);
    return `${status} ${text.replaceAll(/[0-9a-f-]{36}/g, "?")}`;
  };
  for (const [table, row] of rows) {
    const ofNothing = await answer(table, row, crypto.randomUUID());
    for (const { id } of others) assert.equal(await answer(table, row, id), ofNothing);
  }
  const own = await b.as.from("customers").insert({ phone_number: "020 7183 8750" })
    .select("phone_number").single();
  assert.equal(ok(own).phone_number, "+442071838750");
});

Deno.test("an upsert with another tenant's row id makes an own row and leaves theirs alone", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const theirs = await populate(a);
  const ours = await populate(b);
  const row = {
    id: theirs.lead_id,
    organization_id: b.id,
    dataset_id: ours.dataset_id,
    first_name: "Theirs?",
    phone_number: "+447700900055",
  };
  const upsert = (query: string, body: unknown) =>
    raw(b.owner, `leads${query}`, { method: "POST", body: JSON.stringify(body) }, {
      prefer: "resolution=merge-duplicates,return=representation",
    });
  const first = async () =>
    (await sql((db) => db`select first_name from public.leads where organization_id = ${a.id}`))
      .map(({ first_name }) => first_name);
  // The id alone is no key, so nothing can be said by it.
  assert.equal(JSON.parse((await upsert("?on_conflict=id", row)).text).code, "42P10");
  const foreign = await upsert("?on_conflict=organization_id,id", {
    ...row,
    organization_id: a.id,
  });
  assert.deepEqual([foreign.status, JSON.parse(foreign.text).code], [403, "42501"]);
  const parent = await upsert("?on_conflict=organization_id,id", {
    ...row,
    dataset_id: theirs.dataset_id,
  });
  assert.equal(parent.status >= 400, true, parent.text);
  assert.ok(!parent.text.includes(a.id));
  assert.deepEqual(await first(), ["Lead 001"]);
});

Deno.test("a row is moved neither to another tenant nor to another own organization", async () => {
  const [a, b, c] = [await tenant(), await tenant(), await tenant()];
  await sql((db) =>
    db`insert into public.memberships (organization_id, user_id, role) values (${c.id}, ${b.owner.id}, 'owner')`
  );
  const { id } = ok(await b.as.from("agents").insert({ name: "Agent" }).select("id").single());
  for (const target of [a.id, c.id]) {
    for (const active of [b.id, c.id]) {
      const patch = await raw(b.owner, `agents?id=eq.${id}`, {
        method: "PATCH",
        body: JSON.stringify({ organization_id: target }),
      }, { "x-organization-id": active, prefer: "return=representation" });
      assert.deepEqual([patch.status, JSON.parse(patch.text).code], [403, "42501"]);
      const put = await raw(b.owner, `agents?organization_id=eq.${target}&id=eq.${id}`, {
        method: "PUT",
        body: JSON.stringify({ organization_id: target, id, name: "Moved" }),
      }, { "x-organization-id": active });
      assert.equal(put.status, 403, put.text);
    }
  }
  assert.equal(await rowsOf("agents", b), 1);
});
