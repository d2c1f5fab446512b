// Invitations as a client meets them: sent, accepted once, by nobody else, and not after anything changed.
import assert from "node:assert/strict";
import { anon, client, join, member, nothing, ok, person, refused, told } from "./_client.ts";
import { service, sql, type Tenant, tenant, token, untyped } from "./_client.ts";
import { Session } from "./_session.ts";

async function invite(from: Tenant, email: string, more: Record<string, unknown> = {}) {
  const answer = await from.as.rpc("invite_member", { email, role: "viewer", ...more });
  return told("invite_member", answer);
}

Deno.test("an invitation makes its addressee a member with what it offers", async () => {
  const a = await tenant();
  const someone = await person();
  const sent = await invite(a, someone.email.toUpperCase(), {
    role: "manager",
    can_push_to_n8n: true,
    permissions: { "leads.delete": true },
  });
  assert.match(sent.token, /^[0-9a-f]{64}$/);
  const listed = ok(await a.as.from("invitations").select("id,email,role,accepted_at"));
  assert.deepEqual(listed, [
    { id: sent.invitation_id, email: someone.email, role: "manager", accepted_at: null },
  ]);

  const membership = told(
    "accept_invitation",
    await client(someone).rpc("accept_invitation", { token: sent.token }),
  );
  assert.deepEqual(
    [membership.organization_id, membership.user_id, membership.role, membership.status],
    [a.id, someone.id, "manager", "active"],
  );
  const me = told("whoami", await client(someone).rpc("whoami"));
  assert.equal(me.organization_id, a.id);
  assert.ok(me.capabilities.includes("n8n.push") && me.capabilities.includes("leads.delete"));
  const again = await client(someone).rpc("accept_invitation", { token: sent.token });
  refused(again, 404, "PT404", /invitation_not_found/);
});

Deno.test("a token is for one address, confirmed, and no anonymous user", async () => {
  const a = await tenant();
  const [someone, stranger, unconfirmed] = [
    await person(),
    await person(),
    await person({ confirmed: false }),
  ];
  const sent = await invite(a, someone.email);
  const accept = { token: sent.token };
  refused(await client(stranger).rpc("accept_invitation", accept), 403, "PT403", /email_mismatch/);
  // An e-mail address in the token counts nothing: the users table decides.
  const claims = { sub: stranger.id, email: someone.email };
  const liar = client({ ...stranger, token: await token(claims) });
  refused(await liar.rpc("accept_invitation", accept), 403, "PT403", /email_mismatch/);
  const early = { token: (await invite(a, unconfirmed.email)).token };
  const answer = await client(unconfirmed).rpc("accept_invitation", early);
  refused(answer, 403, "PT403", /email_not_confirmed/);
  const guest = { sub: someone.id, is_anonymous: true };
  const anonymous = client({ ...someone, token: await token(guest) });
  refused(await anonymous.rpc("accept_invitation", accept), 403, "PT403", /anonymous_user/);
  refused(await anon().rpc("accept_invitation", accept), 401, "42501");
  refused(await service().rpc("accept_invitation", accept), 403, "42501");
  ok(await client(someone).rpc("accept_invitation", accept));
});

Deno.test("unknown, revoked and replaced tokens get one answer, also in size", async () => {
  const a = await tenant();
  const someone = await person();
  const replaced = await invite(a, someone.email);
  const revoked = await invite(a, someone.email);
  const { status } = await a.as.rpc("revoke_invitation", { invitation_id: revoked.invitation_id });
  assert.equal(status, 204);
  const answers = [];
  for (const wrong of [replaced.token, revoked.token, "0".repeat(64), "", "x".repeat(100_000)]) {
    const answer = await client(someone).rpc("accept_invitation", { token: wrong });
    refused(answer, 404, "PT404");
    answers.push(JSON.stringify(answer.error));
  }
  assert.equal(new Set(answers).size, 1);
  nothing(await client(someone).from("memberships").select("role"));
});

Deno.test("who left or lost the right to invite invites nobody any more", async () => {
  const a = await tenant();
  const admin = await member(a, "admin");
  const someone = await person();
  const sent = told(
    "invite_member",
    await client(admin, a.id).rpc("invite_member", { email: someone.email, role: "manager" }),
  );
  const change = (role: string) =>
    a.as.rpc("change_member", { user_id: admin.id, changes: { role } });
  ok(await change("viewer"));
  const accept = () => client(someone).rpc("accept_invitation", { token: sent.token });
  refused(await accept(), 410, "PT410", /invitation_void/);
  ok(await change("admin"));
  ok(await accept());
});

Deno.test("who may invite whom, and who sees it", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const [admin, manager] = [await member(a, "admin"), await member(a, "manager")];
  const call = (role: string) => ({ email: `${crypto.randomUUID()}@people.example`, role });
  const as = (someone: typeof admin) => client(someone, a.id);
  ok(await as(admin).rpc("invite_member", call("manager")));
  for (const role of ["admin", "owner"]) {
    refused(await as(admin).rpc("invite_member", call(role)), 403, "PT403", /role_too_low/);
  }
  refused(await as(manager).rpc("invite_member", call("viewer")), 403, "PT403", /members\.write/);
  refused(await client(b.owner, a.id).rpc("invite_member", call("viewer")), 403, "PT403");
  refused(await a.as.rpc("invite_member", call("king")), 400, "22023", /role/);
  refused(
    await a.as.rpc("invite_member", { email: manager.email, role: "viewer" }),
    409,
    "PT409",
    /already_member/,
  );
  assert.equal(ok(await as(admin).from("invitations").select("email")).length, 1);
  nothing(await as(manager).from("invitations").select("email"));
  nothing(await b.as.from("invitations").select("email").eq("organization_id", a.id));
  refused(await a.as.from("invitations").select("token_hash"), 403, "42501");
  refused(await a.as.from("invitations").select("*"), 403, "42501");
  const row = { organization_id: a.id, email: "x@a.example", role: "owner" };
  refused(await untyped(a.as).from("invitations").insert(row), 403, "42501");
  refused(
    await a.as.from("invitations").update({ role: "owner" }).eq("organization_id", a.id),
    403,
    "42501",
  );
  refused(await a.as.from("invitations").delete().eq("organization_id", a.id), 403, "42501");
});

Deno.test("a member who was suspended does not come back by an invitation", async () => {
  const a = await tenant();
  const someone = await person();
  const sent = await invite(a, someone.email, { role: "admin" });
  await join(a, someone, "viewer");
  const suspend = { user_id: someone.id, changes: { status: "suspended" } };
  ok(await a.as.rpc("change_member", suspend));
  refused(
    await client(someone).rpc("accept_invitation", { token: sent.token }),
    409,
    "PT409",
    /already_member/,
  );
  ok(await a.as.rpc("change_member", { user_id: someone.id, changes: { status: "active" } }));
  assert.equal(told("whoami", await client(someone).rpc("whoami")).role, "viewer");
});

Deno.test("the same token accepted twice at once: one wins", async () => {
  const a = await tenant();
  const someone = await person();
  const sent = await invite(a, someone.email);
  const statement = "select public.accept_invitation($1)";
  const first = await Session.begin(someone, a.id);
  const second = await Session.begin(someone, a.id);
  assert.equal((await first.run(statement, [sent.token])).code, undefined);
  const late = second.run(statement, [sent.token]);
  await second.waits(late);
  await first.commit();
  assert.equal((await late).code, "PT404");
  await second.commit();

  const other = await person();
  const again = await invite(a, other.email);
  const answers = await Promise.all(
    Array.from(
      { length: 4 },
      () => client(other).rpc("accept_invitation", { token: again.token }),
    ),
  );
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 404, 404, 404]);
});

Deno.test("accepting while the inviter is being demoted waits, and then is refused", async () => {
  const a = await tenant();
  const admin = await member(a, "admin");
  const someone = await person();
  const sent = told(
    "invite_member",
    await client(admin, a.id).rpc("invite_member", { email: someone.email, role: "viewer" }),
  );
  const owner = await Session.begin(a.owner, a.id);
  const demote = 'select public.change_member($1, \'{"role": "viewer"}\')';
  assert.equal((await owner.run(demote, [admin.id])).code, undefined);
  const guest = await Session.begin(someone, a.id);
  const late = guest.run("select public.accept_invitation($1)", [sent.token]);
  await guest.waits(late);
  await owner.commit();
  assert.equal((await late).code, "PT410");
  await guest.commit();
});

Deno.test("two invitations of one address at once leave one", async () => {
  const a = await tenant();
  const email = `${crypto.randomUUID()}@people.example`;
  const roles = ["viewer", "sales_rep", "manager", "admin"];
  const answers = await Promise.all(
    roles.map((role) => a.as.rpc("invite_member", { email, role })),
  );
  for (const answer of answers) ok(answer);
  const rows = await sql((db) => db`select role from public.invitations where email = ${email}`);
  assert.equal(rows.length, 1);
});
