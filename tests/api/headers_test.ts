// Who asks, over HTTP: the organization's headers in every malformed variant that a client or proxy could send, claims
// that a user writes, and tokens of people whose rights have changed since they were issued.
import assert from "node:assert/strict";
import { populate, raw } from "./_catalogue.ts";
import {
  client,
  join,
  member,
  nothing,
  ok,
  type Person,
  refused,
  setting,
  sql,
  type Tenant,
  told,
} from "./_client.ts";
import { person, tenant, token } from "./_client.ts";

/** Sends header lines as they stand, which fetch would not: to PostgREST itself, past the gateway. */
async function lines(person: Person, headers: string[]): Promise<{ status: number; body: string }> {
  const url = new URL(setting("POOLED_REST_URL"));
  const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  try {
    const request = [
      "GET /leads?select=organization_id HTTP/1.0",
      "host: localhost",
      `authorization: Bearer ${person.token}`,
      ...headers,
      "",
      "",
    ].join("\r\n");
    const bytes = new TextEncoder().encode(request);
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    const text = await new Response(connection.readable).text();
    return {
      status: Number(text.match(/^HTTP\/1\.\d (\d+)/)?.[1]),
      body: text.slice(text.indexOf("\r\n\r\n") + 4),
    };
  } catch (error) {
    // A server that hangs up on nonsense has answered nothing either.
    if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) {
      return { status: 0, body: "" };
    }
    throw error;
  }
}

Deno.test("a malformed, foreign or doubled organization header is nobody's, and falls through to nothing", async (t) => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(a);
  await populate(b);
  const name = "x-organization-id";
  const own = await lines(a.owner, [`${name}: ${a.id}`]);
  assert.deepEqual([own.status, JSON.parse(own.body)], [200, [{ organization_id: a.id }]]);
  const none = await lines(a.owner, []);
  assert.deepEqual(
    JSON.parse(none.body),
    [{ organization_id: a.id }],
    "without one: the only membership",
  );
  const variants: Record<string, string[]> = {
    "another tenant": [`${name}: ${b.id}`],
    "nobody's": [`${name}: ${crypto.randomUUID()}`],
    "empty": [`${name}:`],
    "two in one": [`${name}: ${a.id},${b.id}`],
    "the same twice in one": [`${name}: ${a.id},${a.id}`],
    "two, own first": [`${name}: ${a.id}`, `${name}: ${b.id}`],
    "two, own last": [`${name}: ${b.id}`, `${name}: ${a.id}`],
    "two spellings of the name": [`X-Organization-Id: ${a.id}`, `${name}: ${b.id}`],
    "upper case": [`${name}: ${a.id.toUpperCase()}`],
    "braces": [`${name}: {${a.id}}`],
    "no hyphens": [`${name}: ${a.id.replaceAll("-", "")}`],
    "33 characters": [`${name}: ${a.id.replaceAll("-", "")}0`],
    "quoted": [`${name}: "${a.id}"`],
    "a JSON list": [`${name}: ["${a.id}"]`],
    "SQL": [`${name}: ${a.id}' or true --`],
    "percent-encoded": [`${name}: ${a.id.replaceAll("-", "%2d")}`],
    "a byte that is no UTF-8": [`${name}: ${a.id}\u00ff`],
    "64 kB": [`${name}: ${a.id}${"0".repeat(65_536)}`],
    "many headers": [
      `${name}: ${b.id}`,
      ...Array.from({ length: 50 }, (_, n) => `x-${n}: ${a.id}`),
    ],
    "slug of another": [`x-organization-slug: ${b.slug}`],
    "slug in upper case": [`x-organization-slug: ${a.slug.toUpperCase()}`],
    "id and another's slug": [`${name}: ${a.id}`, `x-organization-slug: ${b.slug}`],
  };
  for (const [title, headers] of Object.entries(variants)) {
    await t.step(title, async () => {
      const { status, body } = await lines(a.owner, headers);
      assert.ok(!body.includes(b.id), body);
      // Of two lines PostgREST hands one to the database, the last; it is checked like any other.
      if (title === "two, own last") {
        assert.deepEqual(JSON.parse(body), [{ organization_id: a.id }]);
      } else if (status === 200) assert.deepEqual(JSON.parse(body), []);
      else assert.ok(status === 0 || status >= 400 && status < 500, `HTTP ${status} ${body}`);
    });
  }
});

Deno.test("user_metadata, which its user writes, names no organization and no role", async () => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(b);
  const lie = {
    active_organization_id: b.id,
    organization_id: b.id,
    org_id: b.id,
    role: "service_role",
    is_admin: true,
    is_super_admin: true,
  };
  const liar = {
    ...a.owner,
    token: await token({ sub: a.owner.id, user_metadata: lie, ...lie, role: "authenticated" }),
  };
  const me = told("whoami", await client(liar).rpc("whoami"));
  assert.deepEqual([me.organization_id, me.role], [a.id, "owner"]);
  nothing(await client(liar).from("leads").select("id"));
  refused(
    await client(liar).rpc("route_inbound_call", {
      called: "",
      caller: "",
      provider: "",
      provider_sid: "",
    }),
    403,
    "42501",
  );
  // A claim that only Supabase Auth writes is a wish too: a membership has to stand behind it.
  const stale = {
    ...a.owner,
    token: await token({ sub: a.owner.id, app_metadata: { active_organization_id: b.id } }),
  };
  nothing(await client(stale).from("leads").select("id"));
  nothing(await client(stale).from("agents").select("id"));
});

Deno.test("a token is worth what its person's rights are at this statement", async (t) => {
  const a: Tenant = await tenant();
  await populate(a);
  const change = (text: string) => sql((db) => db.unsafe(text));
  const someone = await person();
  await join(a, someone, "admin");
  const as = client(someone, a.id);
  const seen = async () => ok(await as.from("leads").select("id")).length;
  const notes = () =>
    as.from("leads").update({ notes: "x" }).eq("organization_id", a.id).select("id");
  const member_row = `organization_id = '${a.id}' and user_id = '${someone.id}'`;

  assert.equal(await seen(), 1);
  assert.equal(ok(await notes()).length, 1);
  await t.step("suspended", async () => {
    await change(`update public.memberships set status = 'suspended' where ${member_row}`);
    assert.equal(await seen(), 0);
    nothing(await notes());
    refused(
      await as.rpc("add_phone_number", { phone_number: "x", provider: "twilio" }),
      403,
      "PT403",
    );
    await change(`update public.memberships set status = 'active' where ${member_row}`);
    assert.equal(await seen(), 1);
  });
  await t.step("expired", async () => {
    await change(
      `update public.memberships set expires_at = now() - interval '1 second' where ${member_row}`,
    );
    assert.equal(await seen(), 0);
    await change(`update public.memberships set expires_at = null where ${member_row}`);
    assert.equal(await seen(), 1);
  });
  await t.step("a lesser role", async () => {
    await change(`update public.memberships set role = 'viewer' where ${member_row}`);
    assert.equal(await seen(), 1);
    nothing(await notes());
    refused(await as.from("agents").insert({ name: "X" }), 403, "42501");
    await change(`update public.memberships set role = 'admin' where ${member_row}`);
  });
  await t.step("a capability taken away", async () => {
    await change(
      `update public.memberships set permissions = '{"leads.write": false}' where ${member_row}`,
    );
    assert.equal(await seen(), 1);
    nothing(await notes());
    await change(`update public.memberships set permissions = '{}' where ${member_row}`);
    assert.equal(ok(await notes()).length, 1);
  });
  await t.step("organization paused", async () => {
    await change(`update public.organizations set status = 'paused' where id = '${a.id}'`);
    assert.equal(await seen(), 1);
    nothing(await notes());
    refused(await as.from("agents").insert({ name: "X" }), 403, "42501");
    await change(`update public.organizations set status = 'active' where id = '${a.id}'`);
  });
  await t.step("removed", async () => {
    await change(`delete from public.memberships where ${member_row}`);
    assert.equal(await seen(), 0);
    nothing(await notes());
    nothing(await as.from("memberships").select("role"));
  });
  await t.step("organization deleted", async () => {
    const viewer = await member(a, "viewer");
    assert.equal(ok(await client(viewer).from("leads").select("id")).length, 1);
    await change(`delete from public.organizations where id = '${a.id}'`);
    nothing(await client(viewer).from("leads").select("id"));
    nothing(await client(viewer, a.id).from("organizations").select("id"));
  });
  assert.equal((await raw(someone, "leads?select=id")).text, "[]");
});
