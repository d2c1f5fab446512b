// One tenant with 1,000 active numbers, 10,000 leads and an agent with a published prompt; calls come to random numbers
// from random leads. Measures the one function that stands between a caller and the first word.
import { answerOf } from "../../../supabase/functions/_shared/answers.ts";
import { service, sql, tenant as newTenant } from "../../api/_client.ts";

const NUMBERS = 1_000;
const LEADS = 10_000;
const WARM_UP = 100;
const CALLS = 2_000;

/** The value below which `share` of the sorted samples lie. */
function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function report(label: string, samples: number[]): void {
  const sorted = samples.toSorted((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(sorted, share).toFixed(2));
  console.log(`${label.padEnd(44)} p50 ${p50} ms   p99 ${p99} ms   (${sorted.length} calls)`);
}

const tenant = await newTenant();
// A limit that is there to be checked, as most plans have one; every call ends before the next begins.
await sql((db) =>
  db`insert into public.plan_overrides (organization_id, quota, max_count, reason)
     values (${tenant.id}, 'phone_numbers', -1, 'bench'), (${tenant.id}, 'concurrent_calls', 50, 'bench')`
);
const agent = await tenant.as.from("agents").insert({ name: "Reception", greeting: "Hello." })
  .select("id").single().throwOnError();
const prompt = await tenant.as.from("prompts").insert({
  name: "Reception",
  prompt_structure: {
    goal: { content: "Find out why they call.", source: "manual", why: "bench" },
  },
}).select("id").single().throwOnError();
const version = await tenant.as.rpc("publish_prompt", {
  prompt_id: prompt.data.id,
  reason: "bench",
}).throwOnError();
await tenant.as.from("agents").update({ prompt_version_id: version.data.id })
  .eq("id", agent.data.id).throwOnError();
const dataset = await tenant.as.from("datasets").insert({ name: "bench" }).select("id").single()
  .throwOnError();

// Numbers in ranges that no telephone has: +4420000xxxxx called, +4413000xxxxx calling. The triggers read them as
// possible numbers, which is all that routing asks.
await sql(async (db) => {
  await db`delete from public.phone_numbers where phone_number like '+4420000%'`;
  await db`insert into public.phone_numbers (organization_id, phone_number, provider, agent_id)
    select ${tenant.id}, '+4420000' || lpad(n::text, 5, '0'), 'twilio', ${agent.data.id}
    from generate_series(0, ${NUMBERS - 1}) n`;
  await db`insert into public.leads (organization_id, dataset_id, first_name, phone_number)
    select ${tenant.id}, ${dataset.data.id}, 'Lead ' || n, '+4413000' || lpad(n::text, 5, '0')
    from generate_series(0, ${LEADS - 1}) n`;
  await db`analyze public.phone_numbers, public.leads, public.calls, public.customers`;
});

const run = crypto.randomUUID();
const digits = (limit: number) => String(Math.floor(Math.random() * limit)).padStart(5, "0");
const call = (n: number) => ({
  called: `+4420000${digits(NUMBERS)}`,
  caller: `+4413000${digits(LEADS)}`,
  provider: "twilio",
  provider_sid: `${run}-${n}`,
});

const server = service();
const ended = (call_id: string) =>
  server.rpc("set_call_status", { organization_id: tenant.id, call_id, status: "completed" })
    .throwOnError();
const overHttp: number[] = [];
for (let n = -WARM_UP; n < CALLS; n++) {
  const from = performance.now();
  const { data } = await server.rpc("route_inbound_call", call(n)).throwOnError();
  const { decision, reason, call_id } = answerOf("route_inbound_call", data);
  if (decision !== "answer") throw new Error(`call ${n}: ${decision} ${reason}`);
  if (n >= 0) overHttp.push(performance.now() - from);
  await ended(call_id ?? "");
}

// As the service role, each call in its own transaction, timed by the server's clock.
const inDatabase = await sql(async (db) => {
  const samples: number[] = [];
  for (let n = -WARM_UP; n < CALLS; n++) {
    const { called, caller, provider, provider_sid } = call(n);
    const [row] = await db.begin(async (tx) => {
      await tx`set local role service_role`;
      return await tx`
        with started as materialized (select clock_timestamp() as at),
        routed as materialized (
            select public.route_inbound_call(${called}, ${caller}, ${provider}, ${
        provider_sid + "-d"
      }) as decision,
                started.at
            from started
        )
        select decision ->> 'decision' as decision, decision ->> 'call_id' as call_id,
            extract(epoch from clock_timestamp() - routed.at) * 1000 as ms
        from routed`;
    });
    if (row?.decision !== "answer") throw new Error(`call ${n}: ${row?.decision}`);
    if (n >= 0) samples.push(Number(row.ms));
    await ended(row.call_id);
  }
  return samples;
});

report("route_inbound_call over HTTP (supabase-js)", overHttp);
report("route_inbound_call inside the database", inDatabase);
