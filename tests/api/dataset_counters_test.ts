// The counters of a dataset: exact after every kind of statement, and nobody's to write.
import assert from "node:assert/strict";
import { ok, refused, service, type SupabaseClient, tenant, untyped } from "./_client.ts";

async function dataset(as: SupabaseClient): Promise<string> {
  const row = { name: `List ${crypto.randomUUID()}` };
  return ok(await as.from("datasets").insert(row).select("id").single()).id;
}

/** [total, active, hot, converted] as cached on the dataset, after checking them by recount. */
async function counters(as: SupabaseClient, id: string): Promise<number[]> {
  const { total_leads, active_leads, hot_leads, converted_leads } = ok(
    await as.from("datasets").select("total_leads,active_leads,hot_leads,converted_leads")
      .eq("id", id).single(),
  );
  const leads = ok(
    await as.from("leads").select("contact_status,archived_at").eq("dataset_id", id),
  );
  const having = (status: string) => leads.filter((one) => one.contact_status === status).length;
  const cached = [total_leads, active_leads, hot_leads, converted_leads];
  const active = leads.filter((one) => one.archived_at === null).length;
  assert.deepEqual(cached, [leads.length, active, having("HOT"), having("CONVERTED")]);
  return cached;
}

const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    first_name: `Lead ${i}`,
    phone_number: `07700 900${String(from + i).padStart(3, "0")}`,
  }));

Deno.test("insert, status change, archive, move and delete move the counters", async () => {
  const { as } = await tenant();
  const [one, two] = [await dataset(as), await dataset(as)];
  ok(await as.rpc("import_leads", { dataset_id: one, rows: rows(10) }));
  assert.deepEqual(await counters(as, one), [10, 10, 0, 0]);

  const leads = as.from("leads");
  const some = (n: number) =>
    rows(n).map((row) => `+44${row.phone_number.replace(/\D/g, "").slice(1)}`);
  ok(await leads.update({ contact_status: "HOT" }).in("phone_number", some(4)).select("id"));
  assert.deepEqual(await counters(as, one), [10, 10, 4, 0]);
  ok(await leads.update({ contact_status: "CONVERTED" }).in("phone_number", some(1)).select("id"));
  assert.deepEqual(await counters(as, one), [10, 10, 3, 1]);
  ok(await leads.update({ contact_status: "ARCHIVED" }).in("phone_number", some(2)).select("id"));
  assert.deepEqual(await counters(as, one), [10, 8, 2, 0]);

  ok(await leads.update({ dataset_id: two }).in("phone_number", some(3)).select("id"));
  assert.deepEqual(await counters(as, one), [7, 7, 1, 0]);
  assert.deepEqual(await counters(as, two), [3, 1, 1, 0]);

  ok(await leads.delete().eq("dataset_id", two).select("id"));
  assert.deepEqual(await counters(as, two), [0, 0, 0, 0]);
});

Deno.test("requests side by side lose no count", async () => {
  const { as } = await tenant();
  const id = await dataset(as);
  const inserts = rows(20).map((row) =>
    as.from("leads").insert({ ...row, dataset_id: id }).select("id")
  );
  for (const answer of await Promise.all(inserts)) ok(answer);
  assert.deepEqual(await counters(as, id), [20, 20, 0, 0]);
});

Deno.test("a refused statement leaves the counters as they were", async () => {
  const { as } = await tenant();
  const id = await dataset(as);
  ok(await as.rpc("import_leads", { dataset_id: id, rows: rows(2) }));
  const bad = [...rows(2, 10), { first_name: "Lead X", phone_number: "nonsense" }]
    .map((row) => ({ ...row, dataset_id: id }));
  refused(await as.from("leads").insert(bad), 400, "22023", /phone_number/);
  assert.deepEqual(await counters(as, id), [2, 2, 0, 0]);
});

Deno.test("nobody writes a counter", async () => {
  const { as } = await tenant();
  const id = await dataset(as);
  const datasets = untyped(as).from("datasets");
  for (const counter of ["total_leads", "active_leads", "hot_leads", "converted_leads"]) {
    refused(await datasets.update({ [counter]: 99 }).eq("id", id), 403, "42501");
    refused(await datasets.insert({ name: "x", [counter]: 99 }), 403, "42501");
    const asServer = untyped(service()).from("datasets").update({ [counter]: 99 });
    refused(await asServer.eq("id", id), 403, "42501");
  }
});
