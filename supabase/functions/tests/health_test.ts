// health: 200 only when the database answers as the functions need it.
import assert from "node:assert/strict";
import { respond } from "../_shared/serve.ts";
import { handler } from "../health/handler.ts";
import { withDatabase } from "./_fakes.ts";

const handle = (request: Request, answer: () => Promise<Response>) =>
  respond("health", handler, request, withDatabase(answer).deps);

const get = () => new Request("http://worker/health");

Deno.test("a database that answers is healthy", async () => {
  const response = await handle(get(), () => Promise.resolve(Response.json([])));
  assert.equal(response.status, 200);
  assert.equal((await response.json()).ok, true);
});

Deno.test("one that refuses or cannot be reached is not, and why stays inside", async () => {
  const secret = "password authentication failed";
  for (
    const answer of [
      () => Promise.reject(new TypeError(secret)),
      () => Promise.resolve(Response.json({ code: "PGRST002", message: secret }, { status: 503 })),
    ]
  ) {
    const response = await handle(get(), answer);
    assert.equal(response.status, 503);
    const body = await response.text();
    assert.equal(JSON.parse(body).ok, false);
    assert.ok(!body.includes(secret));
  }
});

Deno.test("only reading is answered", async () => {
  const request = new Request("http://worker/health", { method: "POST", body: "x" });
  assert.equal((await handle(request, () => Promise.reject())).status, 405);
});
