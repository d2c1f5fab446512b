// Support sessions and platform administrators as their clients see them.
import assert from "node:assert/strict";
import {
  anon,
  client,
  memberOf,
  nothing,
  ok,
  type Person,
  person,
  refused,
  service,
  sql,
  tenant,
  token,
} from "./_client.ts";

/** The same person, signed in with a second factor. */
const withSecondFactor = async ({ id, email }: Person): Promise<Person> => ({
  id,
  email,
  token: await token({ sub: id, email, aal: "aal2" }),
});

async function platformAdmin(): Promise<Person> {
  const someone = await withSecondFactor(await person());
  await sql((db) => db`insert into private.platform_admins (user_id) values (${someone.id})`);
  return someone;
}

const reason = "Ticket 1: counters look wrong";

Deno.test("support reads one organization while its session is open, and the organization can read why", async () => {
  const [a, b] = [await tenant(), await tenant()];
  ok(await a.as.from("agents").insert({ name: "Agent 1" }).select("id").single());
  const admin = await platformAdmin();
  const support = client(admin, a.id);
  nothing(await support.from("agents").select("id"));

  const call = { organization_id: a.id, reason };
  const { id, email } = admin;
  const oneFactor = client({ id, email, token: await token({ sub: id, email, aal: "aal1" }) });
  refused(await oneFactor.rpc("open_support_session", call), 403, "PT403", /forbidden/);
  refused(await b.as.rpc("open_support_session", call), 403, "PT403", /forbidden/);
  refused(await anon().rpc("open_support_session", call), 401, "42501");
  refused(await support.rpc("open_support_session", { ...call, reason: "x" }), 400, "22023");
  refused(
    await support.rpc("open_support_session", { ...call, capabilities: ["leads.write"] }),
    400,
    "22023",
    /leads\.write/,
  );

  const session = ok(await support.rpc("open_support_session", call));
  refused(await support.rpc("open_support_session", call), 409, "PT409", /support_session_open/);
  assert.equal(ok(await support.from("agents").select("name")).length, 1);
  nothing(await client(admin, b.id).from("agents").select("id"));
  nothing(await support.from("agents").update({ name: "Mine" }).neq("name", "").select("id"));
  refused(await support.from("agents").insert({ name: "Mine" }), 403, "42501");
  assert.deepEqual(
    ok(await support.rpc("my_support_sessions")).map((each) => each.id),
    [session.id],
  );

  ok(await support.rpc("close_support_session", { id: session.id }));
  nothing(await support.from("agents").select("id"));
  const log = ok(
    await a.as.from("audit_log").select("action,actor_id,actor_kind,after")
      .eq("support_session_id", session.id).order("created_at"),
  );
  assert.deepEqual(log.map((row) => [row.action, row.actor_id, row.actor_kind]), [
    ["open_support_session", admin.id, "support"],
    ["close_support_session", admin.id, "support"],
  ]);
  assert.equal(memberOf(log[0]?.after, "reason"), reason);
});

Deno.test("a session that ran out gives nothing", async () => {
  const a = await tenant();
  ok(await a.as.from("agents").insert({ name: "Agent 1" }).select("id").single());
  const support = client(await platformAdmin(), a.id);
  const session = ok(await support.rpc("open_support_session", { organization_id: a.id, reason }));
  assert.equal(ok(await support.from("agents").select("id")).length, 1);
  await sql((db) =>
    db.begin(async (tx) => {
      await tx`alter table public.support_sessions disable trigger user`;
      await tx`update public.support_sessions
        set opened_at = opened_at - interval '1 hour', expires_at = expires_at - interval '1 hour'
        where id = ${session.id}`;
      await tx`alter table public.support_sessions enable trigger user`;
    })
  );
  nothing(await support.from("agents").select("id"));
});

Deno.test("of two who make the first platform administrator at once, one wins", async () => {
  const [first, second] = [await person(), await person()];
  await sql((db) => db`delete from private.platform_admins`);
  const results = await Promise.all(
    [first, second].map((user) => service().rpc("bootstrap_platform_admin", { user_id: user.id })),
  );
  assert.deepEqual(results.map(({ error }) => error?.code ?? "made").toSorted(), ["PT409", "made"]);
  const admins = await sql((db) => db`select user_id from private.platform_admins`);
  assert.equal(admins.length, 1);
  refused(await client(first).rpc("bootstrap_platform_admin", { user_id: first.id }), 403, "42501");
});
