// Functions over HTTP: whose rights forUser has, and what the gateway leaves as the function answered it.
import assert from "node:assert/strict";
import { deps } from "../../supabase/functions/_shared/deps.ts";
import { unwrapForUser } from "../../supabase/functions/_shared/errors.ts";
import { type Handler, respond } from "../../supabase/functions/_shared/serve.ts";
import { createClient } from "../../supabase/functions/_shared/supabase.ts";
import { join, member, ok, type Person, setting, type Tenant, tenant, token } from "./_client.ts";

/** Lists the caller's agents, or makes one in the organization that the body names. */
const agents: Handler = {
  methods: ["GET", "POST"],
  browsers: true,
  async handle(request, { forUser }) {
    const table = forUser(request).from("agents");
    if (request.method === "GET") {
      return Response.json(unwrapForUser("list agents", await table.select("name")));
    }
    const { organization_id } = await request.json();
    const made = await table.insert({ name: "Made by function", organization_id }).select("name");
    return Response.json(unwrapForUser("make agent", made));
  },
};

/** Runs `work` against the function, served as in production but for a service client that must not be asked. */
async function serving(work: (ask: Ask) => Promise<void>): Promise<void> {
  const service = createClient(setting("SUPABASE_URL"), setting("SUPABASE_SERVICE_ROLE_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: () => Promise.reject(new Error("the service key was used")) },
  });
  const wired = { ...deps(), service, log: () => {} };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => respond("agents", agents, request, wired),
  );
  try {
    await work(async (bearer, headers = {}, body) => {
      const response = await fetch(`http://127.0.0.1:${server.addr.port}/agents`, {
        method: body ? "POST" : "GET",
        headers: bearer ? { authorization: `Bearer ${bearer}`, ...headers } : headers,
        body: body && JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    });
  } finally {
    await server.shutdown();
  }
}

type Ask = (
  bearer: string | null,
  headers?: Record<string, string>,
  body?: Record<string, unknown>,
) => Promise<{ status: number; body: unknown }>;

async function withAgent(name: string): Promise<Tenant> {
  const one = await tenant();
  ok(await one.as.from("agents").insert({ name }).select("id"));
  return one;
}

const namesOf = async (one: Tenant) =>
  ok(await one.as.from("agents").select("name").order("name")).map(({ name }) => name);

const codeOf = ({ status, body }: { status: number; body: unknown }) => [
  status,
  (body as { error?: { code: string } }).error?.code,
];

Deno.test("forUser reads and writes what the caller may, and nothing of another tenant", async () => {
  const [a, b] = [await withAgent("Agent A"), await withAgent("Agent B")];
  const viewer: Person = await member(a, "viewer");
  await serving(async (ask) => {
    assert.deepEqual(await ask(a.owner.token), { status: 200, body: [{ name: "Agent A" }] });
    assert.deepEqual(await ask(b.owner.token), { status: 200, body: [{ name: "Agent B" }] });
    const pretending = { "x-organization-id": a.id };
    assert.deepEqual(await ask(b.owner.token, pretending), { status: 200, body: [] });

    const ours = { organization_id: a.id };
    assert.deepEqual(codeOf(await ask(b.owner.token, {}, ours)), [403, "forbidden"]);
    assert.deepEqual(codeOf(await ask(viewer.token, {}, ours)), [403, "forbidden"]);
    assert.deepEqual(await namesOf(a), ["Agent A"]);
    assert.equal((await ask(a.owner.token, {}, ours)).status, 200);
    assert.deepEqual(await namesOf(a), ["Agent A", "Made by function"]);
  });
});

Deno.test("forUser acts for the organization that the request names, by id or slug", async () => {
  const [a, b] = [await withAgent("Agent A"), await withAgent("Agent B")];
  await join(b, a.owner, "viewer");
  await serving(async (ask) => {
    assert.deepEqual((await ask(a.owner.token)).body, [{ name: "Agent A" }]);
    for (const one of [a, b]) {
      const name = one === a ? "Agent A" : "Agent B";
      for (const [header, value] of [["id", one.id], ["slug", one.slug]] as const) {
        const headers = { [`x-organization-${header}`]: value };
        assert.deepEqual((await ask(a.owner.token, headers)).body, [{ name }], header);
      }
    }
  });
});

Deno.test("no token, the anon key as a token, a forged and an expired one get 401", async () => {
  const a = await withAgent("Agent A");
  const forged = a.owner.token.slice(0, -4) + (a.owner.token.endsWith("AAAA") ? "BBBB" : "AAAA");
  const expired = await token({ sub: a.owner.id, exp: Math.floor(Date.now() / 1000) - 3600 });
  await serving(async (ask) => {
    for (const bearer of [null, setting("SUPABASE_ANON_KEY"), forged, expired]) {
      assert.deepEqual(codeOf(await ask(bearer)), [401, "unauthorized"], bearer ?? "none");
    }
  });
});

const url = (name: string) => `${setting("SUPABASE_URL")}/functions/v1/${name}`;
const origin = { origin: "https://app.example" };

Deno.test("cross-origin answers are the function's own, not the gateway's", async () => {
  const preflight = { ...origin, "access-control-request-method": "GET" };
  const asked = await fetch(url("health"), { method: "OPTIONS", headers: preflight });
  assert.deepEqual(
    [asked.status, asked.headers.get("access-control-allow-methods")],
    [204, "GET, HEAD"],
  );
  const health = await fetch(url("health"), { headers: origin });
  assert.deepEqual(
    [health.status, health.headers.get("access-control-allow-origin")],
    [200, "*"],
  );
  await health.body?.cancel();

  for (const method of ["OPTIONS", "POST"]) {
    const webhook = await fetch(url("voice-inbound"), { method, headers: preflight });
    assert.ok(webhook.status >= 400);
    assert.equal(webhook.headers.get("access-control-allow-origin"), null);
    await webhook.body?.cancel();
  }
});

Deno.test("a request id goes through the gateway and back", async () => {
  const id = crypto.randomUUID();
  const response = await fetch(url("voice-inbound"), { headers: { "x-request-id": id } });
  assert.equal(response.headers.get("x-request-id"), id);
  const { error } = await response.json();
  assert.deepEqual([response.status, error.code, error.request_id], [
    405,
    "method_not_allowed",
    id,
  ]);
});
