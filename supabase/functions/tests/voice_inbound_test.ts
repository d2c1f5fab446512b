// voice-inbound without a database: what is refused before one is asked, and what a caller hears when
// it does not answer. The rest of the function is tested over HTTP in tests/api.
import assert from "node:assert/strict";
import type { Deps } from "../_shared/deps.ts";
import { respond } from "../_shared/serve.ts";
import { UNAVAILABLE } from "../_shared/twiml.ts";
import { handler } from "../voice-inbound/handler.ts";
import { untouched, withDatabase } from "./_fakes.ts";

const handle = (request: Request, deps: Deps) => respond("voice-inbound", handler, request, deps);

const FORM = "application/x-www-form-urlencoded";
const call = {
  AccountSid: "AC00000000000000000000000000000001",
  CallSid: "CA00000000000000000000000000000001",
  From: "+447700900123",
  To: "+441214960001",
};

function post(fields: Record<string, string> | string, headers: Record<string, string> = {}) {
  return new Request("http://worker/voice-inbound", {
    method: "POST",
    headers: { "content-type": FORM, "x-twilio-signature": "c2lnbmF0dXJl", ...headers },
    body: typeof fields === "string" ? fields : new URLSearchParams(fields),
  });
}

async function error(response: Response) {
  const { error } = await response.json();
  assert.match(error.request_id, /^[0-9a-f-]{36}$/);
  return { status: response.status, code: error.code, message: error.message };
}

Deno.test("only POST is answered", async () => {
  const { deps } = withDatabase(untouched);
  const response = await handle(new Request("http://worker/voice-inbound"), deps);
  assert.equal(response.headers.get("allow"), "POST");
  assert.equal((await error(response)).status, 405);
});

Deno.test("bodies that no telephony provider sends are refused in JSON", async () => {
  const { deps } = withDatabase(untouched);
  const json = await handle(post("{}", { "content-type": "application/json" }), deps);
  assert.deepEqual(
    await error(json),
    {
      status: 415,
      code: "unsupported_media_type",
      message: `send the webhook as ${FORM}`,
    },
  );
  assert.equal((await error(await handle(post("a".repeat(70_000)), deps))).status, 413);
});

Deno.test("missing, empty and repeated fields are refused by name", async () => {
  const { deps } = withDatabase(untouched);
  for (const name of ["CallSid", "From", "To"] as const) {
    const { [name]: value, ...rest } = call;
    const others = new URLSearchParams(rest).toString();
    for (const body of [others, `${others}&${name}=`, `${others}&${name}=${value}&${name}=x`]) {
      const refusal = await error(await handle(post(body), deps));
      assert.equal(refusal.status, 400);
      assert.ok(refusal.message.includes(name));
    }
  }
  const odd = await error(await handle(post({ ...call, CallSid: "CA1\nforged log line" }), deps));
  assert.equal(odd.status, 400);
});

Deno.test("a database that cannot be reached becomes a spoken notice, not an HTTP error", async () => {
  const { deps, logged } = withDatabase(() => Promise.reject(new TypeError("connection refused")));
  const response = await handle(post(call), deps);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/xml; charset=utf-8");
  assert.ok((await response.text()).includes(UNAVAILABLE));
  assert.deepEqual([logged[0]?.outcome, logged[0]?.step], ["database_error", "find number"]);
});

Deno.test("a database that does not answer is given up when the budget is spent", async () => {
  const never: typeof fetch = (_, init) =>
    new Promise((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    });
  const { deps, logged } = withDatabase(never, { budgetMs: 20 });
  const response = await handle(post(call), deps);
  assert.equal(response.status, 200);
  assert.ok((await response.text()).includes(UNAVAILABLE));
  assert.equal(logged[0]?.outcome, "database_error");
});

Deno.test("an error of the database is logged by code, and neither answer nor log tells the caller's number", async () => {
  const { deps, logged } = withDatabase(() =>
    Promise.resolve(
      Response.json({ code: "55000", message: "no credential key loaded", hint: null }, {
        status: 500,
      }),
    )
  );
  const text = await (await handle(post(call), deps)).text();
  assert.ok(!text.includes("credential"));
  assert.equal(logged[0]?.code, "55000");
  assert.ok(!JSON.stringify(logged).includes(call.From.slice(1)));
});

Deno.test("pages do not call a webhook: no preflight, no permission to read", async () => {
  const { deps } = withDatabase(untouched);
  const origin = { origin: "https://app.example" };
  const preflight = new Request("http://worker/voice-inbound", {
    method: "OPTIONS",
    headers: { ...origin, "access-control-request-method": "POST" },
  });
  for (const request of [preflight, post("", origin)]) {
    const response = await handle(request, deps);
    assert.ok(response.status >= 400);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
  }
});

Deno.test("a bug is a spoken notice too, and its text goes nowhere", async () => {
  const broken = () => {
    throw new RangeError(`bug with ${call.From}`);
  };
  const { deps, logged } = withDatabase(untouched, { service: { from: broken } as never });
  const response = await handle(post(call), deps);
  assert.equal(response.status, 200);
  assert.ok((await response.text()).includes(UNAVAILABLE));
  assert.deepEqual([logged[0]?.outcome, logged[0]?.error], ["failed", "RangeError"]);
  assert.ok(!JSON.stringify(logged).includes(call.From.slice(1)));
});
