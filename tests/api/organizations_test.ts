// The organization as a client meets it: profile and branding, the documents' view, status, and its end.
import assert from "node:assert/strict";
import {
  client,
  freeNumber,
  member,
  nothing,
  ok,
  refused,
  service,
  tenant,
  untyped,
} from "./_client.ts";

Deno.test("owners and admins change profile, branding and settings; others nothing", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const profile = {
    name: "Alpha",
    industry: "solar",
    email: "office@a.example",
    phone_number: "0121 496 0000",
    website: "https://a.example",
    logo_path: `${a.id}/logo.png`,
    primary_color: "#112233",
    quiet_start: "09:00:00",
    quiet_end: "20:00:00",
    n8n_workflow_id: "w1",
    n8n_webhook_url: "https://n8n.a.example/webhook/x",
    settings: { theme: "dark" },
    timezone: "Europe/Dublin",
    default_country: "GB",
  };
  const columns = Object.keys(profile).join(",");
  const change = a.as.from("organizations").update(profile).eq("id", a.id);
  const row = ok(await change.select(columns).single());
  assert.deepEqual(row, { ...profile, phone_number: "+441214960000" });
  const admin = client(await member(a, "admin"), a.id);
  const renamed = admin.from("organizations").update({ name: "Beta" }).eq("id", a.id);
  assert.equal(ok(await renamed.select("name")).length, 1);
  for (const role of ["manager", "sales_rep", "viewer"] as const) {
    const as = client(await member(a, role), a.id);
    nothing(await as.from("organizations").update({ name: "x" }).eq("id", a.id).select("id"));
  }
  for (const as of [b.as, client(b.owner, a.id)]) {
    nothing(await as.from("organizations").update({ name: "x" }).eq("id", a.id).select("id"));
  }
  for (const locked of [{ slug: "other" }, { plan: "enterprise" }, { status: "paused" }]) {
    refused(await a.as.from("organizations").update(locked).eq("id", a.id), 403, "42501");
  }
  for (const bad of [{ primary_color: "red" }, { n8n_webhook_url: "http://x.example" }]) {
    refused(await a.as.from("organizations").update(bad).eq("id", a.id), 400, "23514");
  }
  const foreign = { logo_path: `${b.id}/logo.png` };
  refused(await a.as.from("organizations").update(foreign).eq("id", a.id), 400, "23514");
});

Deno.test("clients, owner_id, plan_tier, get_my_org_id: the documents' names", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const { typed, e164 } = await freeNumber();
  const number = ok(
    await a.as.rpc("add_phone_number", { phone_number: typed, provider: "twilio" }),
  );
  const point = a.as.from("organizations").update({ default_phone_number_id: number.id });
  ok(await point.eq("id", a.id).select("id"));
  const change = { company_name: "Alpha", company_phone: "0121 496 0001" };
  const changed = a.as.from("clients").update(change).eq("id", a.id);
  const columns = "id,company_name,company_phone,twilio_phone_number,status,plan";
  assert.deepEqual(ok(await changed.select(columns)), [{
    id: a.id,
    company_name: "Alpha",
    company_phone: "+441214960001",
    twilio_phone_number: e164,
    status: "active",
    plan: "starter",
  }]);
  refused(await a.as.from("clients").update({ status: "paused" }).eq("id", a.id), 403, "42501");
  nothing(await b.as.from("clients").update(change).eq("id", a.id).select("id"));

  const computed = ok(await a.as.from("organizations").select("id,owner_id,plan_tier"));
  assert.deepEqual(computed, [{ id: a.id, owner_id: a.owner.id, plan_tier: "starter" }]);
  assert.equal(ok(await a.as.rpc("get_my_org_id")), a.id);
  assert.equal((await a.as.rpc("is_super_admin")).data, false);
  const foreign = { organization_id: b.id };
  nothing(await a.as.from("user_organizations").select("user_id").match(foreign));
});

Deno.test("an owner pauses, resumes, cancels and deletes; the service brings back", async () => {
  const a = await tenant();
  const admin = client(await member(a, "admin"), a.id);
  const set = (as: typeof admin, status: string) => as.rpc("set_organization_status", { status });
  refused(await set(admin, "paused"), 403, "PT403", /owner/);
  refused(await set(a.as, "gone"), 400, "22023", /status/);
  assert.equal(ok(await set(a.as, "paused")).status, "paused");
  refused(await a.as.from("agents").insert({ name: "Agent" }), 403, "42501");
  assert.equal(ok(await set(a.as, "active")).status, "active");
  ok(await a.as.from("agents").insert({ name: "Agent" }).select("id"));
  const remove = (confirm_slug: string | null) =>
    untyped(a.as).rpc("delete_organization", { confirm_slug });
  refused(await remove(a.slug), 409, "PT409", /organization_not_cancelled/);
  assert.equal(ok(await set(a.as, "cancelled")).status, "cancelled");
  refused(await set(a.as, "active"), 409, "PT409", /organization_cancelled/);
  const operator = service({ "x-organization-id": a.id });
  assert.equal(ok(await set(operator, "active")).status, "active");
  refused(await set(service(), "active"), 400, "PT400");
  ok(await set(a.as, "cancelled"));
  refused(await remove("another"), 400, "22023", /confirm_slug/);
  refused(await remove(null), 400, "22023", /confirm_slug/);
  refused(await admin.rpc("delete_organization", { confirm_slug: a.slug }), 403, "PT403");
  assert.equal((await remove(a.slug)).status, 204);
  nothing(await a.as.from("organizations").select("id"));
  const again = client(a.owner);
  const made = ok(await again.rpc("create_organization", { name: "Again", slug: a.slug }));
  assert.equal(made.slug, a.slug);
});
