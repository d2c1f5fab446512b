// What `serve` does around a handler, whatever the handler does.
import assert from "node:assert/strict";
import { Refusal, unwrap, unwrapForUser } from "../_shared/errors.ts";
import { type Handler, respond } from "../_shared/serve.ts";
import { untouched, withDatabase } from "./_fakes.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NAME = "tested";

/** A function that pages call; `more` changes it. */
function tested(handle: Handler["handle"], more: Partial<Handler> = {}): Handler {
  return { methods: ["GET", "POST"], browsers: true, handle, ...more };
}
const fine = tested(() => Promise.resolve(Response.json({ fine: true })));

/** A function that does nothing but throw. */
const throwing = (error: unknown, more: Partial<Handler> = {}) =>
  tested(() => Promise.reject(error), more);

/** What supabase-js answers when the database does not do what it was asked. */
const failure = (status: number, code: string, message: string) => ({
  data: null,
  error: { code, message },
  status,
});

const request = (headers: Record<string, string> = {}, method = "GET") =>
  new Request(`http://worker/${NAME}`, { method, headers });

const preflight = (origin: string) =>
  request({
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, x-organization-id",
  }, "OPTIONS");

/** The answer and the log of one request. */
async function ask(handler: Handler, asked: Request, allowedOrigins: string[] = ["*"]) {
  const { deps, logged } = withDatabase(untouched, { allowedOrigins });
  const response = await respond(NAME, handler, asked, deps);
  return { response, text: await response.text(), logged };
}

/** Status and code of an error, whose body must hold three members and no more. */
function errorOf({ response, text }: { response: Response; text: string }) {
  const { error, ...rest } = JSON.parse(text);
  assert.deepEqual([rest, Object.keys(error)], [{}, ["code", "message", "request_id"]]);
  assert.equal(error.request_id, response.headers.get("x-request-id"));
  return [response.status, error.code];
}

Deno.test("a request keeps the uuid that it came with; any other id is replaced", async () => {
  const given = crypto.randomUUID();
  const kept = await ask(fine, request({ "x-request-id": given }));
  assert.equal(kept.response.headers.get("x-request-id"), given);
  assert.equal(kept.logged[0]?.request_id, given);

  const seen = new Set<string>();
  for (const id of ["", "7", `${given}0`, "+447700900123"]) {
    const { response, logged } = await ask(fine, request(id ? { "x-request-id": id } : {}));
    const fresh = response.headers.get("x-request-id") ?? "";
    assert.match(fresh, UUID);
    assert.equal(logged[0]?.request_id, fresh);
    seen.add(fresh);
  }
  assert.equal(seen.size, 4);
});

Deno.test("one line a request: function, id, outcome, status, time and what the handler noted", async () => {
  const noting = tested((_, { name, requestId, note }) => {
    note({ outcome: "answered", step: 1, function: "forged", request_id: "forged" });
    return Promise.resolve(Response.json([name, requestId]));
  });
  const { logged, text } = await ask(noting, request());
  const { ms, ...line } = logged[0] ?? {};
  const [name, request_id] = JSON.parse(text);
  assert.equal(logged.length, 1);
  assert.equal(typeof ms, "number");
  assert.deepEqual(line, { outcome: "answered", step: 1, function: name, request_id, status: 200 });
  assert.equal(name, NAME);

  const outcomes = [
    [fine, request(), "ok"],
    [tested(() => Promise.resolve(new Response(null, { status: 418 }))), request(), "refused"],
    [fine, request({}, "DELETE"), "method_not_allowed"],
    [fine, preflight("https://app.example"), "preflight"],
  ] as const;
  for (const [handler, asked, outcome] of outcomes) {
    const { logged } = await ask(handler, asked);
    assert.deepEqual(logged.map((line) => line.outcome), [outcome]);
  }
});

Deno.test("a method that the handler does not name is refused before it runs", async () => {
  const answer = await ask(tested(untouched), request({}, "DELETE"));
  assert.deepEqual(errorOf(answer), [405, "method_not_allowed"]);
  assert.equal(answer.response.headers.get("allow"), "GET, POST");
  const options = await ask(tested(untouched), request({}, "OPTIONS"));
  assert.equal(options.response.status, 405);
});

Deno.test("a refusal is told as it stands", async () => {
  const answer = await ask(throwing(new Refusal("conflict", "this name is taken")), request());
  assert.deepEqual(errorOf(answer), [409, "conflict"]);
  assert.equal(JSON.parse(answer.text).error.message, "this name is taken");
  const { response } = await ask(throwing(new Refusal("unauthorized", "sign in")), request());
  assert.equal(response.headers.get("www-authenticate"), "Bearer");
});

Deno.test("errors of the database and bugs are answered without their text", async () => {
  const secret = "invalid input for +447700900123 in column of hunter2";
  const failing = (status: number) =>
    tested(() => {
      unwrap("find things", failure(status, status ? "22P02" : "", secret));
      return untouched();
    });
  const bug = tested(() => {
    throw new RangeError(secret);
  });
  const odd = throwing(secret);
  const cases = [
    [failing(0), 503, "unavailable", "database_error"],
    [failing(503), 503, "unavailable", "database_error"],
    [failing(400), 500, "internal", "database_error"],
    [failing(500), 500, "internal", "database_error"],
    [bug, 500, "internal", "failed"],
    [odd, 500, "internal", "failed"],
  ] as const;
  for (const [handler, status, code, outcome] of cases) {
    const answer = await ask(handler, request());
    assert.deepEqual(errorOf(answer), [status, code]);
    assert.ok(!answer.text.includes("hunter2"));
    assert.deepEqual(answer.logged.map((line) => line.outcome), [outcome]);
    assert.ok(!JSON.stringify(answer.logged).includes("7700900123"));
  }
  const { logged } = await ask(failing(400), request());
  assert.deepEqual([logged[0]?.step, logged[0]?.code], ["find things", "22P02"]);
  const { logged: ofBug } = await ask(bug, request());
  assert.match(String(ofBug[0]?.at), /^tests\/serve_test\.ts:\d+$/);
  assert.ok(!JSON.stringify(ofBug).includes("hunter2"));
});

Deno.test("a handler's own answer to our failures does not replace its refusals", async () => {
  const failed = () => new Response("sorry");
  const bug = await ask(throwing(new Error("bug"), { failed }), request());
  assert.deepEqual([bug.response.status, bug.text], [200, "sorry"]);
  const refusal = throwing(new Refusal("forbidden", "no"), { failed });
  assert.deepEqual(errorOf(await ask(refusal, request())), [403, "forbidden"]);
});

Deno.test("what the database refuses a user is refused, in our words", async () => {
  const asking = (status: number, code: string) =>
    tested(() => {
      unwrapForUser("read", failure(status, code, "permission denied for table hunter2"));
      return untouched();
    });
  const codes = { 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict" };
  for (const [status, code] of Object.entries({ ...codes, 429: "too_many_requests" })) {
    const answer = await ask(asking(Number(status), "42501"), request());
    assert.deepEqual(errorOf(answer), [Number(status), code]);
    assert.ok(!answer.text.includes("hunter2"));
    const [{ outcome, step, code: said } = {}] = answer.logged;
    assert.deepEqual([outcome, step, said], [code, "read", "42501"]);
  }
  for (const code of ["PT400", "22P02", "22023", "23514"]) {
    assert.deepEqual(errorOf(await ask(asking(400, code), request())), [400, "bad_request"]);
  }
  for (const [status, code] of [[400, "42703"], [400, "PGRST100"], [404, "PGRST202"]] as const) {
    assert.deepEqual(errorOf(await ask(asking(status, code), request())), [500, "internal"]);
  }
});

Deno.test("what a handler gives that is no answer is our failure, and no rejection", async () => {
  const read = new Response("read");
  await read.text();
  for (const broken of [Response.error(), read, undefined as unknown as Response]) {
    const answer = await ask(tested(() => Promise.resolve(broken)), request());
    assert.deepEqual(errorOf(answer), [500, "internal"]);
    assert.deepEqual(answer.logged.map(({ outcome, status }) => [outcome, status]), [[
      "failed",
      500,
    ]]);
  }
});

Deno.test("the log has no value that the database quotes", async () => {
  const handler = tested(() => {
    unwrap("read", failure(400, "22P02", 'invalid input syntax for type uuid: "a@b.example"'));
    return untouched();
  });
  const { logged } = await ask(handler, request());
  assert.equal(logged[0]?.message, 'invalid input syntax for type uuid: "…"');
});

Deno.test("any page may read every answer, errors included, unless origins are named", async () => {
  const bug = throwing(new Error("bug"));
  for (const asked of [request({ origin: "https://app.example" }), request()]) {
    for (const handler of [fine, bug]) {
      const { response } = await ask(handler, asked);
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      assert.equal(response.headers.get("access-control-expose-headers"), "x-request-id");
      assert.equal(response.headers.get("access-control-allow-credentials"), null);
    }
  }
  const named = ["https://app.example", "https://b.example"];
  for (const [origin, allowed] of [[named[1], named[1]], ["https://evil.example", null]] as const) {
    const { response } = await ask(fine, request({ origin: origin ?? "" }), named);
    assert.equal(response.headers.get("access-control-allow-origin"), allowed);
    assert.equal(response.headers.get("vary"), "origin");
  }
});

Deno.test("a preflight is answered without asking the handler", async () => {
  const { response, text } = await ask(tested(untouched), preflight("https://app.example"));
  assert.deepEqual([response.status, text], [204, ""]);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(response.headers.get("access-control-allow-methods"), "GET, POST");
  assert.equal(
    response.headers.get("access-control-allow-headers"),
    "authorization, x-organization-id",
  );
  const named = ["https://app.example"];
  const other = await ask(tested(untouched), preflight("https://evil.example"), named);
  assert.equal(other.response.headers.get("access-control-allow-origin"), null);
});

Deno.test("a webhook says nothing about origins", async () => {
  const webhook = { ...fine, browsers: false };
  const answer = await ask(webhook, request({ origin: "https://app.example" }));
  assert.equal(answer.response.status, 200);
  const refused = await ask(webhook, preflight("https://app.example"));
  assert.equal(refused.response.status, 405);
  for (const { response } of [answer, refused]) {
    const names = [...response.headers.keys()].filter((name) => name.startsWith("access-control"));
    assert.deepEqual(names, []);
  }
});

Deno.test("headers of an answer that cannot be changed are kept", async () => {
  const { response } = await ask(
    tested(() => Promise.resolve(Response.redirect("https://app.example/", 303))),
    request(),
  );
  assert.deepEqual([response.status, response.headers.get("location")], [
    303,
    "https://app.example/",
  ]);
  assert.match(response.headers.get("x-request-id") ?? "", UUID);
});
