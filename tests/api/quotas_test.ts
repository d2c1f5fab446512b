// Plans and quotas: what a client is told, and that the last place goes to one.
import assert from "node:assert/strict";
import { anon, client, freeNumber, ok, refused, service, sql, tenant, told } from "./_client.ts";

const limit = (organization_id: string, quota: string, max_count: number) =>
  service().from("plan_overrides").upsert({ organization_id, quota, max_count, reason: "test" });

Deno.test("usage shows plan, limits and what is used; the limit is refused as 429 with a hint", async () => {
  const a = await tenant();
  assert.equal((await limit(a.id, "agents", 1)).error, null);
  ok(await a.as.from("agents").insert({ name: "Agent 1" }).select("id").single());
  const usage = told("usage", await a.as.rpc("usage"));
  assert.equal(usage.plan, "starter");
  assert.deepEqual([usage.limits.agents, usage.used.agents, usage.used.members], [1, 1, 1]);
  const { hint } = refused(
    await a.as.from("agents").insert({ name: "Agent 2" }),
    429,
    "PT429",
    /quota_exceeded.*1 agents/,
  );
  assert.match(hint ?? "", /usage\(\)/);
  const b = await tenant();
  refused(
    await b.as.from("agents").insert({ organization_id: a.id, name: "Agent 2" }),
    403,
    "42501",
  );
});

Deno.test("plans are changed with the service key only", async () => {
  const a = await tenant();
  const call = { organization_id: a.id, plan: "pro" };
  refused(await a.as.rpc("change_plan", call), 403, "42501");
  refused(await anon().rpc("change_plan", call), 401, "42501");
  refused(await a.as.from("plans").update({ name: "other" }).eq("name", "starter"), 403, "42501");
  refused(await a.as.from("plan_overrides").select("organization_id"), 403, "42501");
  assert.equal(ok(await service().rpc("change_plan", call)).plan, "professional");
  refused(await service().rpc("change_plan", { ...call, plan: "platinum" }), 400, "22023");
  const log = ok(
    await a.as.from("audit_log").select("before,after,actor_kind").eq("table_name", "organizations")
      .eq("action", "update"),
  );
  assert.deepEqual(log, [{
    before: { plan: "starter" },
    after: { plan: "professional" },
    actor_kind: "service",
  }]);
});

Deno.test("of two connections that take the last place at once, one gets it", async () => {
  const a = await tenant();
  assert.equal((await limit(a.id, "agents", 1)).error, null);
  const insert = (name: string) => (db: Parameters<Parameters<typeof sql>[0]>[0]) =>
    db`insert into public.agents (organization_id, name) values (${a.id}, ${name})`;
  // The first holds the place, uncommitted, until the second waits for it.
  const waiting = await sql((db) =>
    db.begin(async (tx) => {
      await tx`insert into public.agents (organization_id, name) values (${a.id}, 'Agent 1')`;
      const second = sql(insert("Agent 2")).then(() => "inserted", (error) => error.code);
      // pg_locks is looked at anew each time, unlike pg_stat_activity.
      while (
        (await tx`select from pg_locks where locktype = 'advisory' and not granted`).length === 0
      );
      return { second };
    })
  );
  assert.equal(await waiting.second, "PT429");
  assert.equal(ok(await a.as.from("agents").select("name")).length, 1);
});

Deno.test("of two calls for the last line, one is answered and the other told that all are busy", async () => {
  const a = await tenant();
  ok(
    await a.as.from("agents").insert({ name: "Agent 1", greeting: "Hello" }).select("id").single(),
  );
  const { typed, e164 } = await freeNumber();
  const agent = ok(await a.as.from("agents").select("id").single()).id;
  ok(
    await a.as.rpc("add_phone_number", {
      phone_number: typed,
      provider: "twilio",
      agent_id: agent,
    }),
  );
  assert.equal((await limit(a.id, "concurrent_calls", 1)).error, null);
  const route = async () =>
    told(
      "route_inbound_call",
      await service().rpc("route_inbound_call", {
        called: e164,
        caller: "+447700900123",
        provider: "twilio",
        provider_sid: `CA${crypto.randomUUID()}`,
      }),
    );
  const decisions = await Promise.all(Array.from({ length: 8 }, route));
  const answered = decisions.filter(({ decision }) => decision === "answer");
  const busy = decisions.filter(({ decision }) => decision === "busy");
  assert.deepEqual([answered.length, busy.length], [1, 7]);
  assert.equal(busy[0]?.reason, "concurrency_limit");
  const ended = { organization_id: a.id, call_id: answered[0]?.call_id ?? "", status: "completed" };
  refused(await client(a.owner, a.id).rpc("set_call_status", ended), 403, "42501");
  ok(await service().rpc("set_call_status", ended));
  assert.equal((await route()).decision, "answer");
});
