// The clients that a handler is given: whose key and whose token a request carries.
import assert from "node:assert/strict";
import { origins } from "../_shared/deps.ts";
import { respond } from "../_shared/serve.ts";
import { DATABASE, untouched, withDatabase } from "./_fakes.ts";

/** Deps, and the headers of every request that reached the database. */
function recorded() {
  const asked: Headers[] = [];
  const { deps } = withDatabase((_input, init) => {
    asked.push(new Headers(init?.headers));
    return Promise.resolve(Response.json([]));
  });
  return { deps, asked };
}

const from = (headers: Record<string, string>) => new Request("http://worker/x", { headers });

Deno.test("forUser asks with the caller's token, the anon key and the organization named", async () => {
  const { deps, asked } = recorded();
  await deps.forUser(from({
    authorization: "Bearer token.of.caller",
    "x-organization-id": "o1",
    "x-organization-slug": "alpha",
    "x-forwarded-for": "198.51.100.1",
    cookie: "session=1",
  })).from("leads").select("id");
  const sent = asked[0];
  assert.equal(sent?.get("authorization"), "Bearer token.of.caller");
  assert.equal(sent?.get("apikey"), DATABASE.anonKey);
  assert.equal(sent?.get("x-organization-id"), "o1");
  assert.equal(sent?.get("x-organization-slug"), "alpha");
  assert.deepEqual([sent?.get("x-forwarded-for"), sent?.get("cookie")], [null, null]);
});

Deno.test("two callers of one worker keep their tokens apart, and service keeps its key", async () => {
  const { deps, asked } = recorded();
  const [one, other] = ["one", "other"].map((name) =>
    deps.forUser(from({ authorization: `bearer ${name}` }))
  );
  await one?.from("leads").select("id");
  await other?.rpc("whoami");
  await deps.service.from("leads").select("id");
  assert.deepEqual(asked.map((headers) => headers.get("authorization")), [
    "Bearer one",
    "Bearer other",
    `Bearer ${DATABASE.serviceKey}`,
  ]);
  assert.equal(asked[0]?.get("x-organization-id"), null);
});

Deno.test("without a bearer token forUser refuses with 401, and nobody is asked", async () => {
  const { deps } = withDatabase(untouched);
  for (const authorization of ["", "Bearer", "Bearer  ", "Basic dTpw", "token.of.caller"]) {
    const response = await respond(
      "tested",
      {
        methods: ["GET"],
        browsers: true,
        handle: async (request, { forUser }) =>
          Response.json((await forUser(request).from("leads").select("id")).data),
      },
      from(authorization ? { authorization } : {}),
      deps,
    );
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code], [401, "unauthorized"], authorization);
  }
});

Deno.test("origins: any when the variable is not set, none when it is empty", () => {
  assert.deepEqual(origins(undefined), ["*"]);
  assert.deepEqual(origins(""), []);
  assert.deepEqual(origins(" https://a.example, https://b.example,"), [
    "https://a.example",
    "https://b.example",
  ]);
});
