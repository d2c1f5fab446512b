// find_by_phone: one search box for every spelling, over what the caller may see.
import assert from "node:assert/strict";
import {
  anon,
  client,
  freeNumber,
  member,
  ok,
  refused,
  service,
  sql,
  tenant,
  undecided,
} from "./_client.ts";

/** A tenant with the same number as a lead, another lead of a sales_rep, a customer and a number of its own. */
async function withNumber() {
  const a = await tenant();
  const { typed, e164 } = await freeNumber();
  const rep = await member(a, "sales_rep");
  const lists = ok(
    await a.as.from("datasets").insert([{ name: "First list" }, { name: "Second list" }]).select(
      "id",
    ),
  );
  const lead = { first_name: "Lead 001", phone_number: typed };
  ok(
    await a.as.from("leads").insert([
      { ...lead, dataset_id: lists[0]!.id },
      { ...lead, dataset_id: lists[1]!.id, assigned_to: rep.id },
    ]).select("id"),
  );
  ok(await a.as.from("customers").insert({ phone_number: typed, name: "Customer" }).select("id"));
  ok(await a.as.rpc("add_phone_number", { phone_number: typed, provider: "twilio" }));
  return { a, rep, typed, e164 };
}

const kinds = (rows: { kind: string }[]) => rows.map((row) => row.kind);

Deno.test("every spelling finds leads, customers and numbers of the organization", async () => {
  const { a, typed, e164 } = await withNumber();
  const spellings = [typed, e164, e164.slice(1), `00${e164.slice(1)}`, `tel:${e164}`, ` ${typed} `];
  for (const phone_number of spellings) {
    const rows = ok(await a.as.rpc("find_by_phone", { phone_number }));
    assert.deepEqual(kinds(rows), ["customer", "lead", "lead", "phone_number"], phone_number);
    assert.ok(rows.every((row: { e164: string }) => row.e164 === e164));
  }
  // It only reads, so a GET does too.
  const found = ok(await a.as.rpc("find_by_phone", { phone_number: typed }, { get: true }));
  assert.equal(found.length, 4);
});

Deno.test("another organization finds nothing of it", async () => {
  const { typed } = await withNumber();
  const b = await tenant();
  assert.deepEqual(ok(await b.as.rpc("find_by_phone", { phone_number: typed })), []);
});

Deno.test("a sales_rep finds their own leads and no customers", async () => {
  const { a, rep, typed } = await withNumber();
  const rows = ok(await client(rep, a.id).rpc("find_by_phone", { phone_number: typed }));
  assert.deepEqual(kinds(rows), ["lead", "phone_number"]);
});

Deno.test("what is no number, no member and nobody are refused", async () => {
  const { a, typed } = await withNumber();
  const b = await tenant();
  for (const phone_number of ["", "call me", "12", "7.7009E+09", "+999 123 456 789"]) {
    refused(await a.as.rpc("find_by_phone", { phone_number }), 400, "22023", /phone_number/);
  }
  const search = { phone_number: typed };
  refused(await client(b.owner, a.id).rpc("find_by_phone", search), 403, "PT403");
  await sql((db) =>
    db`insert into public.memberships (organization_id, user_id, role)
       values (${a.id}, ${b.owner.id}, 'viewer')`
  );
  await undecided(b.owner);
  refused(await client(b.owner).rpc("find_by_phone", search), 400, "PT400");
  assert.equal(ok(await client(b.owner, a.id).rpc("find_by_phone", search)).length, 4);
  refused(await anon().rpc("find_by_phone", search), 401, "42501");
  refused(await service().rpc("find_by_phone", search), 403, "42501");
});
