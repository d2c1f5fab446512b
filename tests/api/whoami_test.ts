// whoami: which organization a request acts for, and that no header or token widens it.
import assert from "node:assert/strict";
import {
  anon,
  client,
  join,
  member,
  ok,
  person,
  refused,
  sql,
  tenant,
  token,
  told,
  undecided,
} from "./_client.ts";

Deno.test("the sole membership is the organization when the request names none", async () => {
  const { id, owner } = await tenant();
  const me = told("whoami", await client(owner).rpc("whoami"));
  assert.equal(me.user_id, owner.id);
  assert.equal(me.organization_id, id);
  assert.equal(me.role, "owner");
  assert.ok(me.capabilities.includes("prompts.publish"));
});

Deno.test("a member of two organizations has to say which, by header or claim", async () => {
  const [a, b] = [await tenant(), await tenant()];
  await join(b, a.owner, "viewer");
  await undecided(a.owner);

  const unnamed = told("whoami", await client(a.owner).rpc("whoami"));
  assert.equal(unnamed.organization_id, null);
  assert.ok(unnamed.reason);
  refused(
    await client(a.owner).rpc("add_phone_number", { phone_number: "0121 496 0000" }),
    400,
    "PT400",
  );

  for (
    const headers of [{ "x-organization-id": b.id }, { "x-organization-slug": b.slug }] as Record<
      string,
      string
    >[]
  ) {
    const me = told("whoami", await client(a.owner, undefined, headers).rpc("whoami"));
    assert.deepEqual([me.organization_id, me.role], [b.id, "viewer"]);
    assert.ok(!me.capabilities.includes("agents.write"));
  }
  const claims = { sub: a.owner.id, app_metadata: { active_organization_id: b.id } };
  const claimed = client({ ...a.owner, token: await token(claims) });
  assert.equal(told("whoami", await claimed.rpc("whoami")).organization_id, b.id);
});

Deno.test("naming another tenant's organization gives nothing, not the own one", async () => {
  const [a, b] = [await tenant(), await tenant()];
  ok(await a.as.from("agents").insert({ name: "Agent A" }).select("id"));
  for (
    const [status, code, headers] of [
      [403, "42501", { "x-organization-id": b.id }],
      [403, "42501", { "x-organization-id": crypto.randomUUID() }],
      [400, "PT400", { "x-organization-id": "not a uuid" }],
      [403, "42501", { "x-organization-slug": b.slug }],
      [400, "PT400", { "x-organization-id": a.id, "x-organization-slug": b.slug }],
    ] as [number, string, Record<string, string>][]
  ) {
    const lost = client(a.owner, undefined, headers);
    assert.equal(
      told("whoami", await lost.rpc("whoami")).organization_id,
      null,
      JSON.stringify(headers),
    );
    assert.deepEqual(ok(await lost.from("agents").select("id")), []);
    refused(await lost.from("agents").insert({ name: "Agent X" }), status, code);
  }
});

Deno.test("user_metadata, which users write themselves, decides nothing", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const user_metadata = { active_organization_id: a.id, role: "owner", organization_id: a.id };
  const pretender = client({ ...b.owner, token: await token({ sub: b.owner.id, user_metadata }) });
  assert.equal(told("whoami", await pretender.rpc("whoami")).organization_id, b.id);
});

Deno.test("a suspended member and a paused organization lose rights at once", async () => {
  const a = await tenant();
  const manager = await member(a, "manager");
  const as = client(manager, a.id);
  ok(await as.from("agents").insert({ name: "Agent 1" }).select("id"));

  await sql((db) => db`update public.organizations set status = 'paused' where id = ${a.id}`);
  assert.equal(ok(await as.from("agents").select("id")).length, 1);
  refused(await as.from("agents").insert({ name: "Agent 2" }), 403, "42501");

  await sql((db) => db`update public.organizations set status = 'cancelled' where id = ${a.id}`);
  assert.deepEqual(ok(await as.from("agents").select("id")), []);
  assert.equal(ok(await a.as.from("agents").select("id")).length, 1);

  await sql(async (db) => {
    await db`update public.organizations set status = 'active' where id = ${a.id}`;
    await db`update public.memberships set status = 'suspended' where user_id = ${manager.id}`;
  });
  assert.deepEqual(ok(await as.from("agents").select("id")), []);
  assert.equal(told("whoami", await as.rpc("whoami")).organization_id, null);
});

Deno.test("bad tokens: another secret, expired, and a role that is not the caller's", async () => {
  const { owner, id } = await tenant();
  const forged = owner.token.slice(0, -4) + (owner.token.endsWith("AAAA") ? "BBBB" : "AAAA");
  const answer = await client({ ...owner, token: forged }, id).from("agents").select("id");
  assert.equal(answer.status, 401);

  const late = await token({ sub: owner.id, exp: Math.floor(Date.now() / 1000) - 3600 });
  const expired = await client({ ...owner, token: late }, id).from("agents").select("id");
  assert.equal(expired.status, 401);

  const postgres = await token({ sub: owner.id, role: "postgres" });
  const elevated = await client({ ...owner, token: postgres }, id).from("agents").select("id");
  assert.ok(elevated.status === 401 || elevated.status === 403, String(elevated.status));
});

Deno.test("anon cannot ask, and a user without an organization gets an answer", async () => {
  refused(await anon().rpc("whoami"), 401, "42501");
  const me = told("whoami", await client(await person()).rpc("whoami"));
  assert.equal(me.organization_id, null);
});
