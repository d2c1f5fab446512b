// An opt-out and a lead with its number, written at the same moment by two connections: whichever commits first, the
// lead ends as REMOVED.
import assert from "node:assert/strict";
import { ok, type SupabaseClient, tenant, told } from "./_client.ts";
import { Session } from "./_session.ts";

const number = "+447700900001";

async function dataset(as: SupabaseClient): Promise<string> {
  const row = { name: `List ${crypto.randomUUID()}` };
  return ok(await as.from("datasets").insert(row).select("id").single()).id;
}

/** A tenant with a lead of the number, one of another number in a second dataset, and a third dataset. */
async function setting() {
  const a = await tenant();
  const [first, second, third] = [await dataset(a.as), await dataset(a.as), await dataset(a.as)];
  const add = async (dataset_id: string, phone_number: string) => {
    const row = { dataset_id, phone_number, first_name: "Lead" };
    return ok(await a.as.from("leads").insert(row).select("id").single()).id;
  };
  const lead = await add(first, number);
  const other = await add(second, "+447700900002");
  const statuses = async () => {
    const rows = ok(
      await a.as.from("leads").select("contact_status").eq("phone_number", number),
    );
    return rows.map(({ contact_status }) => contact_status);
  };
  return { a, lead, other, third, statuses };
}

const optOut = "update public.leads set contact_status = 'REMOVED' where id = $1";
const writes = {
  "an insert": {
    statement: `insert into public.leads (dataset_id, first_name, phone_number)
      values ($1, 'Late', '${number}')`,
    of: "third",
  },
  "an import": {
    statement:
      `select public.import_leads($1, '[{"first_name": "Late", "phone_number": "${number}"}]',
      '{"required_fields": [], "duplicate_action": "keep_both"}')`,
    of: "third",
  },
  "a new number of a lead": {
    statement: `update public.leads set phone_number = '${number}' where id = $1`,
    of: "other",
  },
} as const;

for (const [title, { statement, of }] of Object.entries(writes)) {
  Deno.test(`${title} waits for an opt-out that is about to commit, and obeys it`, async () => {
    const { a, lead, statuses, ...ids } = await setting();
    const first = await Session.begin(a.owner, a.id);
    const second = await Session.begin(a.owner, a.id);
    assert.equal((await first.run(optOut, [lead])).code, undefined);
    const late = second.run(statement, [ids[of]]);
    await second.waits(late);
    await first.commit();
    assert.equal((await late).code, undefined);
    await second.commit();
    assert.deepEqual(await statuses(), ["REMOVED", "REMOVED"]);
  });

  Deno.test(`an opt-out waits for ${title} that is about to commit, and reaches its lead`, async () => {
    const { a, lead, statuses, ...ids } = await setting();
    const first = await Session.begin(a.owner, a.id);
    const second = await Session.begin(a.owner, a.id);
    assert.equal((await first.run(statement, [ids[of]])).code, undefined);
    const late = second.run(optOut, [lead]);
    await second.waits(late);
    await first.commit();
    assert.equal((await late).code, undefined);
    await second.commit();
    assert.deepEqual(await statuses(), ["REMOVED", "REMOVED"]);
  });
}

for (const title of ["an insert", "an import"] as const) {
  Deno.test(`${title} waits for an opt-in that is about to commit, and makes no opt-out of the old one`, async () => {
    const { a, third, statuses } = await setting();
    ok(
      await a.as.from("suppressions").insert({ phone_number: number, reason: "keyword" }).select(),
    );
    const first = await Session.begin(a.owner, a.id);
    const second = await Session.begin(a.owner, a.id);
    const lifted = await first.run(`select public.record_opt_in('${number}', 'START')`);
    assert.equal((lifted.value as { leads: number }).leads, 1);
    const late = second.run(writes[title].statement, [third]);
    await second.waits(late);
    await first.commit();
    assert.equal((await late).code, undefined);
    await second.commit();
    assert.deepEqual(await statuses(), ["READY", "READY"]);
    const left = await a.as.from("suppressions").select("reason").is("lifted_at", null);
    assert.deepEqual(ok(left), []);
  });
}

Deno.test("an opt-in waits for a lead that is brought as REMOVED, and its opt-out stands", async () => {
  const { a, third, statuses } = await setting();
  ok(await a.as.from("suppressions").insert({ phone_number: number, reason: "keyword" }).select());
  const first = await Session.begin(a.owner, a.id);
  const second = await Session.begin(a.owner, a.id);
  const removed = `insert into public.leads (dataset_id, first_name, phone_number, contact_status)
    values ($1, 'Out', '${number}', 'REMOVED')`;
  const late = first.run(`select public.record_opt_in('${number}', 'START')`);
  assert.equal(((await late).value as { lifted: number }).lifted, 1);
  const brought = second.run(removed, [third]);
  await second.waits(brought);
  await first.commit();
  assert.equal((await brought).code, undefined);
  await second.commit();
  assert.deepEqual(await statuses(), ["REMOVED", "REMOVED"]);
  const left = await a.as.from("suppressions").select("reason").is("lifted_at", null);
  assert.deepEqual(ok(left), [{ reason: "manual" }]);
});

Deno.test("writers of leads do not wait for each other, nor an opt-out for another tenant's", async () => {
  const { a, lead, third } = await setting();
  const b = await setting();
  const first = await Session.begin(a.owner, a.id);
  const second = await Session.begin(a.owner, a.id);
  const elsewhere = await Session.begin(b.a.owner, b.a.id);
  const insert =
    "insert into public.leads (dataset_id, first_name, phone_number) values ($1, 'L', $2)";
  assert.equal((await first.run(insert, [third, "+447700900011"])).code, undefined);
  assert.equal((await elsewhere.run(optOut, [b.lead])).code, undefined);
  const notes = "update public.leads set notes = 'x' where id = $1";
  assert.equal((await second.run(notes, [lead])).code, undefined);
  const move = "update public.leads set phone_number = '+447700900012' where id = $1";
  assert.equal((await second.run(move, [lead])).code, undefined);
  for (const session of [first, second, elsewhere]) await session.commit();
});

Deno.test("PostgREST shows the client what became of a lead whose number opted out", async () => {
  const { a, lead, third } = await setting();
  ok(await a.as.from("leads").update({ contact_status: "REMOVED" }).eq("id", lead).select("id"));
  const row = { dataset_id: third, phone_number: "07700 900 001", first_name: "Again" };
  const added = ok(await a.as.from("leads").insert(row).select("contact_status").single());
  assert.equal(added.contact_status, "REMOVED");
  const report = told(
    "import_leads",
    await a.as.rpc("import_leads", {
      dataset_id: await dataset(a.as),
      rows: [{ first_name: "Again", phone_number: "07700900001" }],
    }),
  );
  assert.deepEqual([report.suppressed, report.inserted], [1, 0]);
  const list = ok(await a.as.from("suppressions").select("channel,phone_number,reason,lifted_at"));
  assert.deepEqual(list, [
    { channel: "all", phone_number: number, reason: "manual", lifted_at: null },
  ]);
});
