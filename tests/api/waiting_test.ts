// What one tenant's requests wait for, another tenant's do not: all of them share the API's few connections, so whoever
// waits is refused soon, and an import that finds another one running at once.
import assert from "node:assert/strict";
import { ok, setting, type Tenant, tenant } from "./_client.ts";
import { Session } from "./_session.ts";

/** More than there are server connections behind the pooled PostgREST. */
const REQUESTS = 12;

async function request(
  { id, owner }: Tenant,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; code?: string; message?: string; hint?: string; rows: unknown }> {
  const response = await fetch(`${setting("POOLED_REST_URL")}/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${owner.token}`,
      "x-organization-id": id,
      "content-type": "application/json",
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  const answer = text === "" ? null : JSON.parse(text);
  return { status: response.status, ...answer, rows: answer };
}

async function withLead(one: Tenant): Promise<{ dataset: string; lead: string }> {
  const { id: dataset } = ok(
    await one.as.from("datasets").insert({ name: "List" }).select("id").single(),
  );
  const row = { dataset_id: dataset, first_name: "Lead 001", phone_number: "07700 900001" };
  return { dataset, lead: ok(await one.as.from("leads").insert(row).select("id").single()).id };
}

const readsOf = async (one: Tenant) => (await request(one, "GET", "leads?select=first_name")).rows;

Deno.test("a second import of an organization is refused at once, and another tenant is answered", async () => {
  const busy = await tenant();
  const other = await tenant();
  const { dataset } = await withLead(busy);
  const { dataset: theirs } = await withLead(other);
  const rows = [{ first_name: "Lead 002", phone_number: "07700 900002" }];
  const running = await Session.begin(busy.owner, busy.id);
  const first = await running.run("select public.import_leads($1, $2::text::jsonb)", [
    dataset,
    JSON.stringify(rows),
  ]);
  assert.equal(first.code, undefined, first.message);

  const call = () => request(busy, "POST", "rpc/import_leads", { dataset_id: dataset, rows });
  const waiting = Array.from({ length: REQUESTS }, call);
  assert.deepEqual(await readsOf(other), [{ first_name: "Lead 001" }]);
  for (const { status, code, message, hint } of await Promise.all(waiting)) {
    assert.deepEqual({ status, code, message, hint }, {
      status: 409,
      code: "PT409",
      message: "import_running",
      hint: "Send the request again when it has been answered.",
    });
  }
  // Another organization's import is none of theirs.
  const body = { dataset_id: theirs, rows };
  assert.equal((await request(other, "POST", "rpc/import_leads", body)).status, 200);
  await running.commit();
  assert.equal((await call()).status, 200);
});

Deno.test("who waits for a lock of the own organization gives up soon, and another tenant is answered", async () => {
  const busy = await tenant();
  const other = await tenant();
  const { lead } = await withLead(busy);
  await withLead(other);
  const holder = await Session.begin(busy.owner, busy.id);
  const change = () => request(busy, "PATCH", `leads?id=eq.${lead}`, { notes: "changed" });
  const held = await holder.run("update public.leads set notes = 'held' where id = $1", [lead]);
  assert.equal(held.code, undefined, held.message);

  const waiting = Array.from({ length: REQUESTS }, change);
  assert.deepEqual(await readsOf(other), [{ first_name: "Lead 001" }]);
  for (const { status, code } of await Promise.all(waiting)) {
    assert.deepEqual({ status, code }, { status: 500, code: "55P03" });
  }
  await holder.commit();
  assert.equal((await change()).status, 204);
});
