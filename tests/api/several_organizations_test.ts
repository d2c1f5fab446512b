// Somebody in two organizations, with supabase-js: the screen they had stays, a row goes where it says, and a refusal
// says why.
import assert from "node:assert/strict";
import { client, join, ok, refused, sql, tenant, told, undecided } from "./_client.ts";

Deno.test("joining a second organization leaves the first on the screen, and rows go where they say", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const as = client(a.owner);
  await join(b, a.owner, "manager");
  assert.equal(told("whoami", await as.rpc("whoami")).organization_id, a.id);
  ok(await as.from("agents").insert({ name: "Here" }).select("id"));
  const elsewhere = { organization_id: b.id, name: "There" };
  assert.equal((await as.from("agents").insert(elsewhere)).status, 201);
  // What comes back is read for the request's organization, so a returned row wants the header.
  refused(await as.from("agents").insert(elsewhere).select("id"), 403, "42501");
  ok(await client(a.owner, b.id).from("agents").insert(elsewhere).select("id"));
  const names = (of: string) =>
    sql((db) => db`select name from public.agents where organization_id = ${of} order by name`);
  assert.deepEqual((await names(b.id)).map(({ name }) => name), ["There", "There"]);
  assert.deepEqual((await names(a.id)).map(({ name }) => name), ["Here"]);
});

Deno.test("a refused insert says which right is missing or that no organization is named", async () => {
  const [a, b] = [await tenant(), await tenant()];
  await join(b, a.owner, "viewer");
  const as = client(a.owner);
  const there = { organization_id: b.id, name: "There" };
  const missing = await as.from("agents").insert(there);
  refused(missing, 403, "42501", /^forbidden You do not hold agents\.write in this organization\./);
  await undecided(a.owner);
  const unnamed = await as.from("agents").insert({ name: "Where?" });
  refused(unnamed, 400, "PT400", /^organization_required .* x-organization-id/);
  // Of an organization of others nothing is said, not even that it exists.
  const [c] = [await tenant()];
  const foreign = await as.from("agents").insert({ organization_id: c.id, name: "x" });
  const unknown = await as.from("agents").insert({
    organization_id: crypto.randomUUID(),
    name: "x",
  });
  refused(foreign, 403, "42501");
  assert.deepEqual(foreign.error, unknown.error);
});
