// A person is erased while somebody else writes about them: whichever commits first, nobody is left who may be written to,
// and nobody goes who is somebody else.
import assert from "node:assert/strict";
import { ok, tenant } from "./_client.ts";
import { Session } from "./_session.ts";

const number = "+447700900001";
const other = "+447700900002";
const erase = `select public.erase_person(phone_number => '${number}')`;

/** A tenant with a dataset and two leads, one with the number. */
async function setting() {
  const a = await tenant();
  const dataset = ok(await a.as.from("datasets").insert({ name: "List" }).select("id").single()).id;
  const add = async (phone_number: string, first_name: string) => {
    const row = { dataset_id: dataset, phone_number, first_name };
    return ok(await a.as.from("leads").insert(row).select("id").single()).id;
  };
  const known = await add(number, "Known");
  const elsewhere = await add(other, "Elsewhere");
  const standing = async () => {
    const rows = ok(
      await a.as.from("leads").select("first_name,phone_number,contact_status").order("first_name"),
    );
    return rows.map((lead) => Object.values(lead).join(" "));
  };
  return { a, dataset, known, elsewhere, standing };
}

const writes = {
  "an insert": (ids: { dataset: string }) =>
    [
      `insert into public.leads (dataset_id, first_name, phone_number) values ($1, 'Late', '${number}')
         on conflict do nothing`,
      [ids.dataset],
    ] as const,
  "an import": (ids: { dataset: string }) =>
    [
      `select public.import_leads($1, '[{"first_name": "Late", "phone_number": "${number}"}]',
         '{"required_fields": [], "duplicate_action": "keep_both"}')`,
      [ids.dataset],
    ] as const,
  "a new number of a lead": (ids: { elsewhere: string }) =>
    [
      `update public.leads set phone_number = '${number}', dataset_id = (
         select d.id from public.datasets d where d.name = 'Second') where id = $1`,
      [ids.elsewhere],
    ] as const,
};

for (const [title, write] of Object.entries(writes)) {
  Deno.test(`an erasure waits for ${title} that is about to commit, and takes its lead along`, async () => {
    const { a, standing, ...ids } = await setting();
    ok(await a.as.from("datasets").insert({ name: "Second" }).select("id").single());
    ok(await a.as.from("leads").delete().eq("id", ids.known).select("id"));
    const first = await Session.begin(a.owner, a.id);
    const second = await Session.begin(a.owner, a.id);
    const [statement, parameters] = write(ids);
    assert.equal((await first.run(statement, [...parameters])).code, undefined);
    const late = second.run(erase);
    await second.waits(late);
    await first.commit();
    assert.equal(((await late).value as { leads: number }).leads, 1);
    await second.commit();
    assert.ok(!(await standing()).some((lead) => lead.includes(number)));
  });

  Deno.test(`${title} waits for an erasure that is about to commit, and its lead is opted out`, async () => {
    const { a, standing, ...ids } = await setting();
    ok(await a.as.from("datasets").insert({ name: "Second" }).select("id").single());
    const first = await Session.begin(a.owner, a.id);
    const second = await Session.begin(a.owner, a.id);
    assert.equal(((await first.run(erase)).value as { leads: number }).leads, 1);
    const [statement, parameters] = write(ids);
    const late = second.run(statement, [...parameters]);
    await second.waits(late);
    await first.commit();
    assert.equal((await late).code, undefined);
    await second.commit();
    const about = (await standing()).filter((lead) => lead.includes(number));
    assert.ok(about.every((lead) => lead.endsWith(" REMOVED")), about.join(", "));
  });
}

Deno.test("a lead that gets its right number meanwhile is somebody else", async () => {
  const { a, known, standing } = await setting();
  const first = await Session.begin(a.owner, a.id);
  const second = await Session.begin(a.owner, a.id);
  const mended = "update public.leads set phone_number = '+447700900003' where id = $1";
  assert.equal((await first.run(mended, [known])).code, undefined);
  const late = second.run(erase);
  await second.waits(late);
  await first.commit();
  assert.equal(((await late).value as { leads: number }).leads, 0);
  await second.commit();
  assert.deepEqual(await standing(), [
    `Elsewhere ${other} READY`,
    "Known +447700900003 READY",
  ]);
});
