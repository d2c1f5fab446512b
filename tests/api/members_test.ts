// Members as a client meets them: roles, the last owner (two at once included), scopes, switching.
import assert from "node:assert/strict";
import {
  client,
  join,
  type Json,
  member,
  nothing,
  ok,
  type Person,
  person,
  told,
} from "./_client.ts";
import { refused, sql, type Tenant, tenant, token } from "./_client.ts";
import { type Isolation, Session } from "./_session.ts";

const owners = async (a: Tenant) =>
  (await sql((db) =>
    db`select user_id from public.memberships
       where organization_id = ${a.id} and role = 'owner' and status = 'active'`
  )).length;

/** A tenant with two owners. */
async function partners(): Promise<[Tenant, Person]> {
  const a = await tenant();
  const partner = await person();
  await join(a, partner, "owner");
  return [a, partner];
}

Deno.test("members are changed by those above them, from the next request on", async () => {
  const a = await tenant();
  const [admin, manager] = [await member(a, "admin"), await member(a, "manager")];
  const as = (someone: Person) => client(someone, a.id);
  const change = (by: Person, whom: Person, changes: Json) =>
    as(by).rpc("change_member", { user_id: whom.id, changes });
  const up = { role: "sales_rep", can_edit_lessons: true };
  const row = told("change_member", await change(admin, manager, up));
  assert.deepEqual([row.role, row.can_edit_lessons], ["sales_rep", true]);
  const me = told("whoami", await as(manager).rpc("whoami"));
  assert.equal(me.role, "sales_rep");
  assert.ok(me.capabilities.includes("lessons.write"));

  refused(await change(admin, manager, { role: "owner" }), 403, "PT403", /role_too_low/);
  refused(await change(admin, a.owner, { role: "viewer" }), 403, "PT403", /role_too_low/);
  refused(await change(admin, admin, { can_push_to_n8n: true }), 403, "PT403", /own_membership/);
  refused(await change(manager, manager, { role: "admin" }), 403, "PT403", /members\.write/);
  refused(await change(admin, manager, { user_id: a.owner.id }), 400, "22023", /user_id/);
  refused(await change(admin, await person(), { role: "viewer" }), 404, "PT404");

  const remove = (by: Person, whom: Person) => as(by).rpc("remove_member", { user_id: whom.id });
  refused(await remove(admin, a.owner), 403, "PT403", /role_too_low/);
  assert.equal((await remove(admin, manager)).status, 204);
  assert.equal(told("whoami", await as(manager).rpc("whoami")).organization_id, null);
  nothing(await as(manager).from("agents").select("id"));
});

Deno.test("nobody writes memberships past the RPCs", async () => {
  const a = await tenant();
  for (const role of ["admin", "manager", "viewer"] as const) {
    const someone = await member(a, role);
    const rows = client(someone, a.id).from("memberships");
    for (
      const change of [
        { role: "owner" },
        { status: "active" },
        { permissions: { "leads.delete": true } },
        { can_manage_users: true },
        { allowed_dataset_ids: null },
        { expires_at: null },
      ]
    ) {
      refused(await rows.update(change).eq("user_id", someone.id), 403, "42501");
    }
    const row = { organization_id: a.id, user_id: someone.id, role: "owner" };
    refused(await rows.insert(row), 403, "42501");
    refused(await rows.delete().eq("user_id", a.owner.id), 403, "42501");
  }
});

Deno.test("the last owner cannot go; with a second one the first can", async () => {
  const a = await tenant();
  const heir = await member(a, "viewer");
  const leave = () => client(a.owner).rpc("leave_organization", { organization_id: a.id });
  refused(await leave(), 409, "PT409", /last_owner/);
  for (const changes of [{ role: "admin" }, { status: "suspended" }]) {
    refused(
      await a.as.rpc("change_member", { user_id: a.owner.id, changes }),
      409,
      "PT409",
      /last_owner/,
    );
  }
  // As Supabase Auth does when an administrator deletes a user.
  const deletion = () =>
    sql((db) =>
      db.begin(async (tx) => {
        await tx`set local role supabase_auth_admin`;
        await tx`delete from auth.users where id = ${a.owner.id}`;
      })
    );
  await assert.rejects(deletion(), { code: "PT409", message: "last_owner" });

  const row = told(
    "transfer_ownership",
    await a.as.rpc("transfer_ownership", { user_id: heir.id }),
  );
  assert.deepEqual([row.user_id, row.role], [heir.id, "owner"]);
  assert.equal(told("whoami", await a.as.rpc("whoami")).role, "admin");
  await deletion();
  assert.equal(await owners(a), 1);
});

for (const isolation of ["read committed", "repeatable read"] as Isolation[]) {
  Deno.test(`two owners leave at once: one stays (${isolation})`, async () => {
    const [a, partner] = await partners();
    const leave = "select public.leave_organization($1)";
    const first = await Session.begin(a.owner, a.id, isolation);
    const second = await Session.begin(partner, a.id, isolation);
    assert.equal((await second.run("select public.whoami()")).code, undefined);
    assert.equal((await first.run(leave, [a.id])).code, undefined);
    const late = second.run(leave, [a.id]);
    await second.waits(late);
    await first.commit();
    const { code, message } = await late;
    if (isolation === "read committed") assert.deepEqual([code, message], ["PT409", "last_owner"]);
    else assert.equal(code, "40001");
    await second.commit();
    assert.equal(await owners(a), 1);
  });

  Deno.test(`one owner is demoted while the other leaves (${isolation})`, async () => {
    const [a, partner] = await partners();
    const first = await Session.begin(a.owner, a.id, isolation);
    const second = await Session.begin(partner, a.id, isolation);
    assert.equal((await second.run("select public.whoami()")).code, undefined);
    const demote = 'select public.change_member($1, \'{"role": "admin"}\')';
    assert.equal((await first.run(demote, [a.owner.id])).code, undefined);
    const late = second.run("select public.leave_organization($1)", [a.id]);
    await second.waits(late);
    await first.commit();
    assert.equal((await late).code, isolation === "read committed" ? "PT409" : "40001");
    await second.commit();
    assert.equal(await owners(a), 1);
  });

  Deno.test(`both owners are deleted as users at once: one stays (${isolation})`, async () => {
    const [a, partner] = await partners();
    const remove = "delete from auth.users where id = $1";
    const first = await Session.begin(null, a.id, isolation);
    const second = await Session.begin(null, a.id, isolation);
    await second.run("select count(*) from public.memberships");
    assert.equal((await first.run(remove, [a.owner.id])).code, undefined);
    const late = second.run(remove, [partner.id]);
    await second.waits(late);
    await first.commit();
    assert.equal((await late).code, isolation === "read committed" ? "PT409" : "40001");
    await second.commit();
    assert.equal(await owners(a), 1);
  });
}

Deno.test("two owners deleted at once in Auth wait for one another, not in a circle", async () => {
  const [a, partner] = await partners();
  const remove = "delete from auth.users where id = $1";
  // Holds the organization until both deletions have taken what they take before it.
  const third = await Session.begin(null, a.id);
  await third.run("select 1 from public.organizations where id = $1 for no key update", [a.id]);
  const sessions = [await Session.begin(null, a.id), await Session.begin(null, a.id)] as const;
  const deletions = sessions.map((session, i) =>
    session.run(remove, [[a.owner.id, partner.id][i]!])
  );
  for (const [i, session] of sessions.entries()) await session.waits(deletions[i]!);
  await third.commit();
  // Whoever comes first commits, and the other, who is the last owner now, is refused.
  const outcomes = await Promise.all(
    deletions.map(async (deletion, i) => {
      const outcome = await deletion;
      await sessions[i]!.commit();
      return outcome;
    }),
  );
  const refusals = outcomes.filter(({ code }) => code);
  assert.deepEqual(refusals, [{ code: "PT409", message: "last_owner" }]);
  assert.equal(await owners(a), 1);
});

Deno.test("many owners leave at once through the API: one stays", async () => {
  const [a, partner] = await partners();
  const more = [await person(), await person()];
  for (const someone of more) await join(a, someone, "owner");
  const answers = await Promise.all(
    [a.owner, partner, ...more].map((someone) =>
      client(someone).rpc("leave_organization", { organization_id: a.id })
    ),
  );
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [204, 204, 204, 409]);
  assert.equal(await owners(a), 1);
});

Deno.test("a dataset that is deleted while it is given away is in no scope", async () => {
  const a = await tenant();
  const manager = await member(a, "manager");
  const dataset = async () =>
    ok(await a.as.from("datasets").insert({ name: crypto.randomUUID() }).select("id").single()).id;
  const give =
    "select public.change_member($1, jsonb_build_object('allowed_dataset_ids', array[$2]))";
  const remove = "delete from public.datasets where id = $1";
  const scope = async () =>
    ok(await a.as.from("memberships").select("allowed_dataset_ids").eq("user_id", manager.id));

  // Given first: the deletion waits and then corrects the scope.
  let id: string = await dataset();
  let giver = await Session.begin(a.owner, a.id);
  let remover = await Session.begin(a.owner, a.id);
  assert.equal((await giver.run(give, [manager.id, id])).code, undefined);
  let late = remover.run(remove, [id]);
  await remover.waits(late);
  await giver.commit();
  assert.equal((await late).code, undefined);
  await remover.commit();
  assert.deepEqual(await scope(), [{ allowed_dataset_ids: [] }]);

  // Deleted first: giving it waits and then is refused.
  id = await dataset();
  giver = await Session.begin(a.owner, a.id);
  remover = await Session.begin(a.owner, a.id);
  assert.equal((await remover.run(remove, [id])).code, undefined);
  late = giver.run(give, [manager.id, id]);
  await giver.waits(late);
  await remover.commit();
  assert.equal((await late).code, "22023");
  await giver.commit();
  assert.deepEqual(await scope(), [{ allowed_dataset_ids: [] }]);
});

Deno.test("switching: the default, the list, and what a token still says", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const someone = await person();
  await join(a, someone, "manager");
  await join(b, someone, "viewer");
  const me = client(someone);
  assert.equal(told("whoami", await me.rpc("whoami")).organization_id, a.id);
  const switched = told(
    "switch_organization",
    await me.rpc("switch_organization", { organization_id: b.id }),
  );
  assert.deepEqual([switched.organization_id, switched.role], [b.id, "viewer"]);
  assert.equal(told("whoami", await me.rpc("whoami")).organization_id, b.id);
  const list = ok(await me.rpc("my_organizations"));
  assert.deepEqual(
    list.map((row) => [row.organization_id, row.is_current]).sort(),
    [[a.id, false], [b.id, true]].sort(),
  );
  const stale = { sub: someone.id, app_metadata: { active_organization_id: a.id } };
  const claimed = client({ ...someone, token: await token(stale) });
  assert.equal(told("whoami", await claimed.rpc("whoami")).organization_id, a.id);
  refused(
    await me.rpc("switch_organization", { organization_id: (await tenant()).id }),
    403,
    "PT403",
  );
  refused(await me.rpc("switch_organization", { organization_id: "x" }), 400, "22P02");

  const suspend = { user_id: someone.id, changes: { status: "suspended" } };
  ok(await b.as.rpc("change_member", suspend));
  const rows = ok(await me.rpc("my_organizations"));
  const row = rows.find((one) => one.organization_id === b.id);
  assert.deepEqual([row?.status, row?.reason, row?.is_current], ["suspended", "suspended", false]);
  const answer = await me.rpc("leave_organization", { organization_id: b.id });
  assert.equal(answer.status, 204);
  assert.equal(told("whoami", await me.rpc("whoami")).organization_id, a.id);
});

Deno.test("contacts are for oneself and for those who manage members", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const viewer = await member(a, "viewer");
  const profile = { first_name: "First", phone_number: "+44 121 496 0000" };
  const changed = await client(viewer, a.id).from("profiles").update(profile).eq("id", viewer.id);
  assert.equal(changed.status, 204);
  const users = (as: ReturnType<typeof client>) =>
    as.from("users").select("user_id,first_name,email,phone").order("email");
  const seen = ok(await users(a.as)).find((row) => row.user_id === viewer.id);
  assert.deepEqual(seen, {
    user_id: viewer.id,
    first_name: "First",
    email: viewer.email,
    phone: "+441214960000",
  });
  const known = ok(await users(client(viewer, a.id))).filter((row) => row.email);
  assert.deepEqual(known.map((row) => row.user_id), [viewer.id]);
  assert.deepEqual(ok(await users(b.as)).map((row) => row.user_id), [b.owner.id]);
  refused(await a.as.from("profiles").select("email"), 403, "42501");
  refused(await a.as.from("profiles").select("phone_number"), 403, "42501");
  const strangers = client(viewer, a.id).from("profiles").update(profile).eq("id", a.owner.id);
  nothing(await strangers.select("id"));
});
