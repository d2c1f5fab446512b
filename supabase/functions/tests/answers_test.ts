// jsonb answers become named types in one place, which refuses what is none. That the database's real
// answers pass is tested over HTTP in tests/api.
import assert from "node:assert/strict";
import { answerOf, member } from "../_shared/answers.ts";

Deno.test("an answer that lacks what its RPC promises is refused by name, without its content", () => {
  const usage = { plan: "starter", limits: { agents: null }, used: { agents: 1 } };
  assert.equal(answerOf("usage", usage), usage);
  assert.throws(() => answerOf("usage", { plan: "secret" }), {
    name: "TypeError",
    message: "usage answered without limits, used",
  });
  for (const odd of [null, "secret", 7, [usage]]) {
    assert.throws(
      () => answerOf("provider_credentials", odd),
      (error) => error instanceof TypeError && !error.message.includes("secret"),
    );
  }
  const inherited = Object.create(usage);
  assert.throws(() => answerOf("usage", inherited), TypeError);
});

Deno.test("a member of what is no object, or has none of that name, is undefined", () => {
  assert.equal(member({ a: 1 }, "a"), 1);
  for (const value of [undefined, null, "a", 1, ["a"], { b: 1 }]) {
    assert.equal(member(value, "a"), undefined);
  }
  assert.equal(member({}, "constructor"), undefined);
});
