// provider_accounts: secrets go in as plain JSON and never come out to a tenant.
import assert from "node:assert/strict";
import { anon, client, member, nothing, ok, refused, service, sql, tenant } from "./_client.ts";
import { type Json, memberOf, type SupabaseClient, type Tenant, told } from "./_client.ts";

const SECRET = "not-a-real-token-0123456789";
const ACCOUNT_SID = "AC0000000000000000000000000000009f3a";

async function account(as: SupabaseClient, credentials: Json = {
  accountSid: ACCOUNT_SID,
  authToken: SECRET,
}) {
  const ref = `AC-${crypto.randomUUID()}`;
  return ok(
    await as.from("provider_accounts")
      .insert({ provider: "twilio", label: "Main", account_ref: ref, credentials })
      .select("id,credentials_hint").single(),
  );
}

const open = (id: string, reason = "test") =>
  service().rpc("provider_credentials", { provider_account_id: id, reason });

Deno.test("what is stored is an envelope, and only the server side opens it", async () => {
  const a = await tenant();
  const { id, credentials_hint } = await account(a.as);
  assert.equal(memberOf(credentials_hint, "authToken"), "set");
  assert.match(String(memberOf(credentials_hint, "accountSid")), /9f3a$/);
  assert.ok(!JSON.stringify(credentials_hint).includes(SECRET));

  const stored = ok(
    await service().from("provider_accounts").select("credentials").eq("id", id).single(),
  );
  assert.equal(memberOf(stored.credentials, "$sealed"), 1);
  assert.ok(!JSON.stringify(stored).includes(SECRET));

  assert.deepEqual(told("provider_credentials", await open(id)), {
    accountSid: ACCOUNT_SID,
    authToken: SECRET,
  });
});

Deno.test("opening is recorded with its reason", async () => {
  const a = await tenant();
  const { id } = await account(a.as);
  const reason = `audit ${crypto.randomUUID()}`;
  ok(await open(id, reason));
  const rows = await sql((db) =>
    db`select outer_role, organization_id, row_id, result from private.unseal_audit
       where reason = ${reason}`
  );
  assert.equal(rows.length, 1);
  assert.deepEqual(
    [rows[0]?.outer_role, rows[0]?.organization_id, rows[0]?.row_id],
    ["service_role", a.id, id],
  );
});

Deno.test("no role of the tenant reads the column, not even what it wrote", async () => {
  const a = await tenant();
  await account(a.as);
  for (const role of ["owner", "admin", "manager", "sales_rep", "viewer"] as const) {
    const as = role === "owner" ? a.as : client(await member(a, role), a.id);
    const accounts = as.from("provider_accounts");
    refused(await accounts.select("*"), 403, "42501");
    refused(await accounts.select("credentials"), 403, "42501");
    refused(await accounts.select("id").not("credentials", "is", null), 403, "42501");
    refused(await accounts.select("id").order("credentials"), 403, "42501");
    const readable = role === "owner" || role === "admin" ? 1 : 0;
    assert.equal(ok(await accounts.select("id,credentials_hint")).length, readable, role);
  }
  const written = { provider: "twilio", account_ref: "AC2", credentials: { authToken: SECRET } };
  refused(await a.as.from("provider_accounts").insert(written).select(), 403, "42501");
  refused(await a.as.from("provider_accounts").insert(written).select("credentials"), 403, "42501");
});

Deno.test("new secrets replace the old ones; other updates leave the envelope as it is", async () => {
  const a = await tenant();
  const { id } = await account(a.as);
  const envelope = async () =>
    ok(await service().from("provider_accounts").select("credentials").eq("id", id).single())
      .credentials;
  const before = await envelope();

  const accounts = a.as.from("provider_accounts");
  ok(await accounts.update({ label: "Renamed" }).eq("id", id).select("label"));
  assert.deepEqual(await envelope(), before);

  const credentials = { accountSid: ACCOUNT_SID, authToken: "newer", authTokenNext: "newest" };
  ok(await accounts.update({ credentials }).eq("id", id).select("id"));
  assert.notDeepEqual(await envelope(), before);
  assert.deepEqual(ok(await open(id)), credentials);
});

Deno.test("credentials that are no object are refused, and no error repeats the secret", async () => {
  const a = await tenant();
  for (const credentials of [SECRET, [SECRET], 7]) {
    const row = { provider: "twilio", account_ref: "AC3", credentials };
    const error = refused(await a.as.from("provider_accounts").insert(row), 400, "22023");
    assert.ok(!JSON.stringify(error).includes(SECRET));
  }
  // Another rule fails while a secret is in the row: PostgreSQL would print the whole row.
  const row = { provider: "pigeon", account_ref: "AC4", credentials: { authToken: SECRET } };
  const error = refused(await a.as.from("provider_accounts").insert(row), 400, "23514");
  assert.ok(!JSON.stringify(error).includes(SECRET));
});

Deno.test("an envelope of another tenant is refused", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const { id } = await account(a.as);
  const { credentials } = ok(
    await service().from("provider_accounts").select("credentials").eq("id", id).single(),
  );
  const answer = await b.as.from("provider_accounts")
    .insert({ provider: "twilio", account_ref: "AC5", credentials }).select("id");
  assert.ok(answer.error, "the envelope was accepted");
  nothing(await b.as.from("provider_accounts").select("id"));
});

Deno.test("owner and admin write accounts; manager, sales_rep and viewer do not", async () => {
  const a = await tenant();
  const { id } = await account(client(await member(a, "admin"), a.id));
  for (const role of ["manager", "sales_rep", "viewer"] as const) {
    const as = client(await member(a, role), a.id);
    await refuseWriting(as, id, a);
  }
  assert.equal(
    ok(await a.as.from("provider_accounts").delete().eq("id", id).select("id")).length,
    1,
  );
});

Deno.test("another tenant and anon meet nothing", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const { id } = await account(a.as);
  nothing(await b.as.from("provider_accounts").select("id").eq("id", id));
  await refuseWriting(b.as, id, a);
  refused(await anon().from("provider_accounts").select("id"), 401, "42501");
  assert.deepEqual(told("provider_credentials", await open(id)), {
    accountSid: ACCOUNT_SID,
    authToken: SECRET,
  });
});

Deno.test("provider_credentials is for service_role, with a reason, for an existing account", async () => {
  const a = await tenant();
  const { id } = await account(a.as);
  const call = { provider_account_id: id, reason: "test" };
  refused(await a.as.rpc("provider_credentials", call), 403, "42501");
  refused(await anon().rpc("provider_credentials", call), 401, "42501");
  refused(await open(id, "  "), 400, "22023", /reason/);
  refused(await open(crypto.randomUUID()), 404, "PT404", /credentials_not_found/);
});

async function refuseWriting(as: SupabaseClient, id: string, owner: Tenant) {
  const accounts = as.from("provider_accounts");
  const credentials = { authToken: "theirs" };
  const row = { provider: "twilio", account_ref: "AC6", credentials };
  refused(await accounts.insert({ ...row, organization_id: owner.id }), 403, "42501");
  nothing(await accounts.update({ credentials }).eq("id", id).select("id"));
  nothing(await accounts.delete().eq("id", id).select("id"));
}
