// route_inbound_call: one answer per call, for server code only.
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
  told,
} from "./_client.ts";
import type { Tenant } from "./_client.ts";

const CALLER = "+447700900123";

async function route(called: string, caller = CALLER, provider_sid = `CA${crypto.randomUUID()}`) {
  const call = { called, caller, provider: "twilio", provider_sid };
  return told("route_inbound_call", await service().rpc("route_inbound_call", call));
}

/** A tenant with an active number and an agent behind it. */
async function line(): Promise<{ a: Tenant; e164: string; agent: string; number: string }> {
  const a = await tenant();
  const agent = ok(
    await a.as.from("agents").insert({ name: "Agent 1", greeting: "Hello" }).select("id").single(),
  ).id;
  const { typed, e164 } = await freeNumber();
  const number = ok(
    await a.as.rpc("add_phone_number", {
      phone_number: typed,
      provider: "twilio",
      agent_id: agent,
    }),
  ).id;
  return { a, e164, agent, number };
}

Deno.test("a call is answered by the number's agent, with its prompt, the customer and the lead", async () => {
  const { a, e164, agent } = await line();
  const dataset = ok(
    await a.as.from("datasets").insert({ name: "List" }).select("id").single(),
  ).id;
  const rows = [{ first_name: "Lead 001", phone_number: "07700 900123" }];
  ok(await a.as.rpc("import_leads", { dataset_id: dataset, rows }));
  const prompt_structure = { goal: { content: "Book a survey.", source: "user", why: "" } };
  const prompt = ok(
    await a.as.from("prompts").insert({ name: "P", prompt_structure }).select("id").single(),
  ).id;
  const version = ok(await a.as.rpc("publish_prompt", { prompt_id: prompt, reason: "test" }));
  ok(
    await a.as.from("agents").update({ prompt_version_id: version.id }).eq("id", agent)
      .select("id"),
  );

  const decision = await route(e164);
  assert.deepEqual(
    [decision.decision, decision.reason, decision.organization_id, decision.agent?.id],
    ["answer", "agent", a.id, agent],
  );
  assert.deepEqual(decision.prompt, {
    version_id: version.id,
    compiled: version.compiled_prompt,
  });
  assert.equal(decision.customer?.phone_number, CALLER);
  assert.equal(decision.lead?.first_name, "Lead 001");
  assert.equal(decision.variables.lead?.first_name, "Lead 001");

  const calls = await a.as.from("calls").select("id,caller_number,called_number,status,agent_id");
  assert.deepEqual(calls.data, [{
    id: decision.call_id,
    caller_number: CALLER,
    called_number: e164,
    status: "ringing",
    agent_id: agent,
  }]);
});

Deno.test("a repeated webhook gets the stored answer and makes nothing new, also side by side", async () => {
  const { a, e164, agent } = await line();
  const sid = `CA${crypto.randomUUID()}`;
  const answers = await Promise.all(Array.from({ length: 5 }, () => route(e164, CALLER, sid)));
  const [first] = answers;
  for (const answer of answers) assert.deepEqual(answer, first);

  ok(await a.as.from("agents").update({ is_active: false }).eq("id", agent).select("id"));
  assert.deepEqual(await route(e164, CALLER, sid), first);
  assert.equal(ok(await a.as.from("calls").select("id")).length, 1);
  assert.equal(ok(await a.as.from("customers").select("id")).length, 1);
});

Deno.test("the called number is found in every spelling a provider sends", async () => {
  const { a, e164 } = await line();
  const digits = e164.slice(1);
  for (
    const called of [
      e164,
      digits,
      ` ${e164} `,
      `sip:${e164}@sip.example`,
      `sips:${digits}@b.example;x=1`,
    ]
  ) {
    assert.equal((await route(called)).organization_id, a.id, called);
  }
});

Deno.test("a withheld caller has no customer", async () => {
  const { a, e164 } = await line();
  for (const caller of ["anonymous", "Restricted", "+266696687", "", "sip:anonymous@x.example"]) {
    const decision = await route(e164, caller);
    assert.deepEqual([decision.decision, decision.customer], ["answer", null], caller);
  }
  assert.deepEqual(ok(await a.as.from("customers").select("id")), []);
});

Deno.test("unknown number, switched-off number, no agent, paused organization", async () => {
  const { e164: unknown } = await freeNumber();
  const rejected = await route(unknown);
  assert.deepEqual(
    [rejected.decision, rejected.reason, rejected.organization_id, rejected.call_id],
    ["reject", "unknown_number", null, null],
  );

  const { a, e164, agent, number } = await line();
  ok(await a.as.from("agents").update({ is_active: false }).eq("id", agent).select("id"));
  assert.deepEqual(decided(await route(e164)), ["notice", "no_agent"]);

  const numbers = a.as.from("phone_numbers");
  ok(await numbers.update({ status: "inactive" }).eq("id", number).select("id"));
  assert.deepEqual(decided(await route(e164)), ["notice", "number_inactive"]);

  await sql((db) => db`update public.organizations set status = 'paused' where id = ${a.id}`);
  assert.deepEqual(decided(await route(e164)), ["notice", "organization_paused"]);
});

Deno.test("a malformed call is refused, and no number can make it fail", async () => {
  const call = { called: "+441214960000", caller: CALLER, provider: "twilio", provider_sid: "CA1" };
  refused(
    await service().rpc("route_inbound_call", { ...call, provider: "pigeon" }),
    400,
    "22023",
    /provider/,
  );
  refused(
    await service().rpc("route_inbound_call", { ...call, provider_sid: " " }),
    400,
    "22023",
    /provider_sid/,
  );
  for (const called of ["", "garbage", "+", "999999999999999999999", "sip:@", "☎"]) {
    assert.equal((await route(called)).decision, "reject", called);
  }
});

Deno.test("members, other tenants and anon cannot ask, nor write calls", async () => {
  const { a, e164 } = await line();
  const call = { called: e164, caller: CALLER, provider: "twilio", provider_sid: "CA1" };
  refused(await a.as.rpc("route_inbound_call", call), 403, "42501");
  refused(await anon().rpc("route_inbound_call", call), 401, "42501");

  const { call_id } = await route(e164);
  const row = {
    organization_id: a.id,
    direction: "inbound",
    called_number: e164,
    provider: "twilio",
    provider_sid: "CA2",
    decision: {},
  };
  refused(await a.as.from("calls").insert(row), 403, "42501");
  refused(await a.as.from("calls").update({ outcome: "x" }).eq("id", call_id ?? ""), 403, "42501");

  const b = await tenant();
  assert.deepEqual(ok(await b.as.from("calls").select("id")), []);
  assert.deepEqual(ok(await b.as.from("customers").select("id")), []);
  const rep = client(await member(a, "sales_rep"), a.id);
  assert.deepEqual(ok(await rep.from("calls").select("id")), []);
  const viewer = client(await member(a, "viewer"), a.id);
  assert.equal(ok(await viewer.from("calls").select("id")).length, 1);
});

const decided = ({ decision, reason }: { decision: string; reason: string }) => [decision, reason];
