// create_organization: anybody signed in gets an organization of their own, nobody else's.
import assert from "node:assert/strict";
import { anon, client, nothing, ok, person, refused, service, tenant, token } from "./_client.ts";

const slugOf = () => `org-${crypto.randomUUID()}`;

Deno.test("a signed-in user becomes the owner of a new organization", async () => {
  const someone = await person();
  const slug = slugOf();
  const answer = await client(someone).rpc("create_organization", {
    name: "  Alpha  ",
    slug,
    default_country: "IE",
    timezone: "Europe/Dublin",
  });
  const row = ok(answer);
  assert.equal(answer.status, 200);
  assert.deepEqual(
    [row.name, row.slug, row.status, row.plan, row.default_country, row.timezone],
    ["Alpha", slug, "active", "starter", "IE", "Europe/Dublin"],
  );
  const { data } = await client(someone).from("memberships").select("organization_id,role,status");
  assert.deepEqual(data, [{ organization_id: row.id, role: "owner", status: "active" }]);
});

Deno.test("without a slug one is made from the name, and two equal names both work", async () => {
  const [a, b] = [await person(), await person()];
  const name = `Solar ${crypto.randomUUID()}`;
  const first = ok(await client(a).rpc("create_organization", { name }));
  const second = ok(await client(b).rpc("create_organization", { name }));
  assert.equal(first.slug, name.toLowerCase().replaceAll(" ", "-"));
  assert.notEqual(second.slug, first.slug);
});

Deno.test("a taken slug is a conflict", async () => {
  const { slug, owner } = await tenant();
  refused(
    await client(owner).rpc("create_organization", { name: "Beta", slug }),
    409,
    "PT409",
    /slug_taken/,
  );
});

Deno.test("malformed arguments are refused by name", async () => {
  const someone = client(await person());
  for (
    const [argument, value] of [
      ["name", " "],
      ["name", "x".repeat(201)],
      ["slug", "-no-"],
      ["slug", "ab"],
      ["default_country", "gb"],
      ["default_country", "United Kingdom"],
      ["timezone", "Mars/Olympus"],
      ["timezone", "BST"],
    ]
  ) {
    const call = { name: "Alpha", [argument as string]: value };
    refused(
      await someone.rpc("create_organization", call),
      400,
      "22023",
      new RegExp(argument as string),
    );
  }
});

Deno.test("anon, service_role and a token without a user are refused", async () => {
  const call = { name: "Alpha" };
  refused(await anon().rpc("create_organization", call), 401, "42501");
  refused(await service().rpc("create_organization", call), 403, "42501");
  const ghost = crypto.randomUUID();
  const nobody = client({ id: ghost, email: "", token: await token({ sub: ghost }) });
  refused(await nobody.rpc("create_organization", call), 401, "PT401");
  const subless = client({ id: "", email: "", token: await token({}) });
  refused(await subless.rpc("create_organization", call), 401, "PT401");
});

Deno.test("an anonymous sign-in cannot own an organization", async () => {
  const { id, email } = await person();
  const guest = client({ id, email, token: await token({ sub: id, is_anonymous: true }) });
  refused(await guest.rpc("create_organization", { name: "Alpha" }), 403, "PT403");
});

Deno.test("organizations and memberships are written by RPC only", async () => {
  const { id, owner, as } = await tenant();
  refused(await as.from("organizations").insert({ name: "x", slug: slugOf() }), 403, "42501");
  refused(await as.from("organizations").update({ plan: "enterprise" }).eq("id", id), 403, "42501");
  refused(await as.from("organizations").delete().eq("id", id), 403, "42501");
  const row = { organization_id: id, user_id: owner.id, role: "owner" };
  refused(await as.from("memberships").insert(row), 403, "42501");
  refused(
    await as.from("memberships").update({ role: "admin" }).eq("user_id", owner.id),
    403,
    "42501",
  );
  refused(await as.from("memberships").delete().eq("user_id", owner.id), 403, "42501");
});

Deno.test("an organization is visible to its members, and to nobody else", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const seen = await a.as.from("organizations").select("id").in("id", [a.id, b.id]);
  assert.deepEqual(seen.data, [{ id: a.id }]);
  nothing(await b.as.from("organizations").select("id").eq("id", a.id));
  nothing(await b.as.from("memberships").select("user_id").eq("organization_id", a.id));
  nothing(await b.as.from("profiles").select("id").eq("id", a.owner.id));
  refused(await anon().from("organizations").select("id"), 401, "42501");
});
