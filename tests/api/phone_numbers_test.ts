// add_phone_number: any spelling in, one E.164 and one active owner out.
import assert from "node:assert/strict";
import {
  anon,
  client,
  freeNumber,
  member,
  nothing,
  ok,
  refused,
  service,
  tenant,
} from "./_client.ts";

Deno.test("a number as people type it is stored as E.164, with what was typed", async () => {
  const { as } = await tenant();
  const { typed, e164 } = await freeNumber();
  const row = ok(
    await as.rpc("add_phone_number", {
      phone_number: typed,
      provider: "twilio",
      friendly_name: "Front desk",
      metadata: { region: "GB" },
    }),
  );
  assert.deepEqual(
    [row.phone_number, row.phone_input, row.provider, row.status, row.friendly_name],
    [e164, typed, "twilio", "active", "Front desk"],
  );
  const { data } = await as.from("phone_numbers").select("phone_number,metadata");
  assert.deepEqual(data, [{ phone_number: e164, metadata: { region: "GB" } }]);
});

Deno.test("the organization's country reads national numbers", async () => {
  const { as } = await tenant({ default_country: "US" });
  const british = { phone_number: "020 7946 0000", provider: "twilio" };
  refused(await as.rpc("add_phone_number", british), 400, "22023", /phone_number/);
  const { e164 } = await freeNumber();
  const row = ok(await as.rpc("add_phone_number", { phone_number: e164, provider: "twilio" }));
  assert.equal(row.phone_number, e164);
});

Deno.test("a number in use is a conflict with the same words for both owners", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const { typed, e164 } = await freeNumber();
  ok(await a.as.rpc("add_phone_number", { phone_number: typed, provider: "twilio" }));

  const again = { phone_number: e164, provider: "twilio" };
  const own = refused(await a.as.rpc("add_phone_number", again), 409, "PT409", /number_in_use/);
  const other = refused(await b.as.rpc("add_phone_number", again), 409, "PT409", /number_in_use/);
  assert.deepEqual(
    [other.message, other.details, other.hint],
    [own.message, own.details, own.hint],
  );
  assert.ok(!JSON.stringify(other).includes(a.id));
});

Deno.test("what is no phone number is refused by name and reason", async () => {
  const { as } = await tenant();
  for (
    const phone_number of [
      "",
      "hello",
      "12",
      "7.7009E+09",
      "07700900123/07911123456",
      "+999 123 456 789",
      "+44 121 496 0000 0000 0000",
    ]
  ) {
    refused(
      await as.rpc("add_phone_number", { phone_number, provider: "twilio" }),
      400,
      "22023",
      /phone_number/,
    );
  }
  const { typed } = await freeNumber();
  const bad = { phone_number: typed, provider: "carrier pigeon" };
  refused(await as.rpc("add_phone_number", bad), 400, "22023", /provider/);
  refused(await as.rpc("add_phone_number", { phone_number: typed }), 400, "22023", /provider/);
  assert.deepEqual(ok(await as.from("phone_numbers").select("id")), []);
});

Deno.test("account and agent of another tenant are not found", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const agent = ok(await b.as.from("agents").insert({ name: "Agent B" }).select("id").single());
  const account = ok(
    await b.as.from("provider_accounts")
      .insert({ provider: "twilio", account_ref: "AC1", credentials: { authToken: "t" } })
      .select("id").single(),
  );
  const call = { phone_number: (await freeNumber()).typed, provider: "twilio" };
  refused(
    await a.as.rpc("add_phone_number", { ...call, agent_id: agent.id }),
    404,
    "PT404",
    /agent_not_found/,
  );
  refused(
    await a.as.rpc("add_phone_number", { ...call, provider_account_id: account.id }),
    404,
    "PT404",
    /provider_account_not_found/,
  );

  // Not through a plain update either: the keys hold the tenant.
  const { id } = ok(await a.as.rpc("add_phone_number", call));
  refused(
    await a.as.from("phone_numbers").update({ agent_id: agent.id }).eq("id", id),
    409,
    "23503",
  );
  refused(
    await a.as.from("phone_numbers").update({ provider_account_id: account.id }).eq("id", id),
    409,
    "23503",
  );
});

Deno.test("owner and admin add and release numbers; the other roles only read them", async () => {
  const a = await tenant();
  const admin = client(await member(a, "admin"), a.id);
  const { typed } = await freeNumber();
  const { id } = ok(await admin.rpc("add_phone_number", { phone_number: typed, provider: "sip" }));

  for (const role of ["manager", "sales_rep", "viewer"] as const) {
    const as = client(await member(a, role), a.id);
    assert.equal(ok(await as.from("phone_numbers").select("id")).length, 1, role);
    const call = { phone_number: (await freeNumber()).typed, provider: "sip" };
    refused(await as.rpc("add_phone_number", call), 403, "PT403");
    nothing(await as.from("phone_numbers").update({ status: "inactive" }).eq("id", id).select());
    nothing(await as.from("phone_numbers").delete().eq("id", id).select("id"));
  }

  const freed = await admin.from("phone_numbers").update({ status: "inactive" }).eq("id", id)
    .select("status");
  assert.deepEqual(freed.data, [{ status: "inactive" }]);
  assert.equal(ok(await admin.from("phone_numbers").delete().eq("id", id).select("id")).length, 1);
});

Deno.test("another tenant and anon cannot add or write; server code can", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const { typed, e164 } = await freeNumber();
  const call = { phone_number: typed, provider: "twilio" };
  const { id } = ok(await a.as.rpc("add_phone_number", call));

  nothing(await b.as.from("phone_numbers").select("id").eq("phone_number", e164));
  nothing(await b.as.from("phone_numbers").update({ friendly_name: "x" }).eq("id", id).select());
  nothing(await b.as.from("phone_numbers").delete().eq("id", id).select("id"));
  refused(await anon().rpc("add_phone_number", call), 401, "42501");
  refused(await anon().from("phone_numbers").select("id"), 401, "42501");
  refused(await service().rpc("add_phone_number", call), 403, "42501");

  const numbers = service().from("phone_numbers");
  assert.equal(ok(await numbers.select("id").eq("phone_number", e164)).length, 1);
  ok(await numbers.update({ status: "inactive" }).eq("id", id).select("id").single());
});

Deno.test("rows come in by the RPC alone, and organization_id is not writable", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const { typed, e164 } = await freeNumber();
  const row = { phone_number: e164, provider: "twilio", organization_id: a.id };
  refused(await a.as.from("phone_numbers").insert(row), 403, "42501");
  const { id } = ok(await a.as.rpc("add_phone_number", { phone_number: typed, provider: "sip" }));
  refused(
    await a.as.from("phone_numbers").update({ organization_id: b.id }).eq("id", id),
    403,
    "42501",
  );
});
