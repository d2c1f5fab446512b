// voice-inbound over HTTP: the real function behind the real gateway, asking the real database.
import assert from "node:assert/strict";
import { getExpectedTwilioSignature } from "../../supabase/functions/_shared/twilio_library.ts";
import { freeNumber, ok, setting, sql, type Tenant, tenant } from "./_client.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const SAY_HELLO = "<Response><Say>Hello from Alpha.</Say><Hangup/></Response>";

const newSid = () => `CA${crypto.randomUUID().replaceAll("-", "")}`;

/** The URL at the provider, and the one that the gateway listens on. */
const publicUrl = () => `${Deno.env.get("PUBLIC_FUNCTIONS_URL") ?? url()}/voice-inbound`;
const url = () => `${setting("SUPABASE_URL")}/functions/v1`;

interface Line {
  tenant: Tenant;
  e164: string;
  number: string;
  account: string;
  agent: string;
}

async function line(): Promise<Line> {
  const a = await tenant();
  const account = ok(
    await a.as.from("provider_accounts")
      .insert({
        provider: "twilio",
        account_ref: `AC-${crypto.randomUUID()}`,
        credentials: { accountSid: "AC1", authToken: TOKEN },
      })
      .select("id").single(),
  ).id;
  const agent = ok(
    await a.as.from("agents").insert({ name: "Agent 1", greeting: "Hello from Alpha." })
      .select("id").single(),
  ).id;
  const { typed, e164 } = await freeNumber();
  const number = ok(
    await a.as.rpc("add_phone_number", {
      phone_number: typed,
      provider_account_id: account,
      agent_id: agent,
    }),
  ).id;
  return { tenant: a, e164, number, account, agent };
}

interface Options {
  token?: string | null;
  sid?: string;
  query?: string;
  change?: Record<string, string>;
}

async function ring(to: string, options: Options = {}) {
  const { token = TOKEN, sid = newSid(), query = "", change = {} } = options;
  const fields = { CallSid: sid, AccountSid: "AC1", From: "+447700900123", To: to };
  const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded" };
  if (token !== null) {
    headers["x-twilio-signature"] = getExpectedTwilioSignature(token, publicUrl() + query, fields);
  }
  const response = await fetch(`${url()}/voice-inbound${query}`, {
    method: "POST",
    headers,
    body: new URLSearchParams({ ...fields, ...change }),
  });
  return { status: response.status, body: await response.text(), sid };
}

const says = (answer: { status: number; body: string }, twiml: string) => {
  assert.equal(answer.status, 200, answer.body);
  assert.ok(answer.body.includes(twiml), answer.body);
};

function forbidden(answer: { status: number; body: string }) {
  assert.equal(answer.status, 403, answer.body);
  const { error } = JSON.parse(answer.body);
  assert.deepEqual([error.code, error.message], [
    "forbidden",
    "request is not signed for this number",
  ]);
}

const callsOf = async (a: Tenant) => ok(await a.as.from("calls").select("provider_sid"));

Deno.test("a signed call is answered and logged; its repetition gets the same answer", async () => {
  const { tenant: a, e164 } = await line();
  const first = await ring(e164);
  says(first, SAY_HELLO);
  assert.deepEqual(await callsOf(a), [{ provider_sid: first.sid }]);
  assert.equal((await ring(e164, { sid: first.sid })).body, first.body);
  assert.equal((await callsOf(a)).length, 1);
});

Deno.test("an agent with a worker is connected to it", async () => {
  const { tenant: a, e164, agent } = await line();
  const llm_config = { stream_url: "wss://worker.example/media" };
  ok(await a.as.from("agents").update({ llm_config }).eq("id", agent).select("id"));
  const answer = await ring(e164);
  says(answer, '<Connect><Stream url="wss://worker.example/media">');
  says(answer, `<Parameter name="agent_id" value="${agent}"/>`);
});

Deno.test("a query string in the configured URL is part of what is signed", async () => {
  const { e164 } = await line();
  says(await ring(e164, { query: "?branch=north" }), SAY_HELLO);
});

Deno.test("a wrong or missing signature is refused, and nothing is written", async () => {
  const { tenant: a, e164 } = await line();
  forbidden(await ring(e164, { token: "another token" }));
  forbidden(await ring(e164, { token: null }));
  forbidden(await ring(e164, { change: { From: "+447700900124" } }));
  forbidden(await ring(e164, { change: { Extra: "1" } }));
  assert.deepEqual(await callsOf(a), []);
  assert.deepEqual(ok(await a.as.from("customers").select("id")), []);
});

Deno.test("another tenant's token does not sign for our number", async () => {
  const [ours, theirs] = [await line(), await line()];
  const credentials = { accountSid: "AC2", authToken: "the other tenant's token" };
  ok(
    await theirs.tenant.as.from("provider_accounts").update({ credentials })
      .eq("id", theirs.account).select("id"),
  );
  forbidden(await ring(ours.e164, { token: credentials.authToken }));
  says(await ring(theirs.e164, { token: credentials.authToken }), SAY_HELLO);
});

Deno.test("a call id of another tenant's call brings none of its answer", async () => {
  const [ours, theirs] = [await line(), await line()];
  const { sid } = await ring(ours.e164);
  says(await ring(theirs.e164, { sid }), SAY_HELLO);
  const called = async (a: Tenant) =>
    ok(await a.as.from("calls").select("called_number,provider_sid"));
  assert.deepEqual(await called(theirs.tenant), [{
    called_number: theirs.e164,
    provider_sid: sid,
  }]);
  assert.deepEqual(await called(ours.tenant), [{ called_number: ours.e164, provider_sid: sid }]);
});

Deno.test("while tokens rotate the old and the new one both sign", async () => {
  const { tenant: a, e164, account } = await line();
  const accounts = a.as.from("provider_accounts");
  const rotating = { authToken: TOKEN, authTokenNext: "next token" };
  ok(await accounts.update({ credentials: rotating }).eq("id", account).select("id"));
  says(await ring(e164), SAY_HELLO);
  says(await ring(e164, { token: "next token" }), SAY_HELLO);

  const rotated = { authToken: "next token" };
  ok(await accounts.update({ credentials: rotated }).eq("id", account).select("id"));
  forbidden(await ring(e164));
  says(await ring(e164, { token: "next token" }), SAY_HELLO);
});

Deno.test("an unknown number is rejected, unsigned or not, and leaves no trace", async () => {
  const { e164 } = await freeNumber();
  for (const token of [TOKEN, null]) {
    const answer = await ring(e164, { token });
    says(answer, "<Response><Reject/></Response>");
    const rows = await sql((db) =>
      db`select 1 from public.calls where provider_sid = ${answer.sid}`
    );
    assert.equal(rows.length, 0);
  }
});

Deno.test("a number without an account cannot be verified, so nobody can sign for it", async () => {
  const { tenant: a, e164, number } = await line();
  ok(
    await a.as.from("phone_numbers").update({ provider_account_id: null }).eq("id", number)
      .select("id"),
  );
  forbidden(await ring(e164));
  forbidden(await ring(e164, { token: "" }));
});

Deno.test("a switched-off number and a paused organization are told so, politely", async () => {
  const { tenant: a, e164, number } = await line();
  ok(await a.as.from("phone_numbers").update({ status: "inactive" }).eq("id", number).select("id"));
  says(await ring(e164), "<Say>The number you have called is not in service.</Say>");
  ok(await a.as.from("phone_numbers").update({ status: "active" }).eq("id", number).select("id"));
  await sql((db) => db`update public.organizations set status = 'paused' where id = ${a.id}`);
  says(await ring(e164), "we cannot take your call");
});

Deno.test("opening the credential is recorded with the call", async () => {
  const { tenant: a, e164 } = await line();
  const { sid } = await ring(e164);
  const rows = await sql((db) =>
    db`select reason from private.unseal_audit where organization_id = ${a.id}`
  );
  assert.deepEqual(rows.map((row) => row.reason), [`verify inbound call ${sid}`]);
});

Deno.test("health answers over HTTP without a token", async () => {
  const response = await fetch(`${url()}/health`);
  assert.equal(response.status, 200);
  assert.equal((await response.json()).ok, true);
});
