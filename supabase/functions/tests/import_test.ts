// import without a database: who and what is refused before one is asked, and a file in parts from Storage.
import assert from "node:assert/strict";
import { respond } from "../_shared/serve.ts";
import { inPieces } from "../_shared/uploads.ts";
import { handler } from "../import/handler.ts";
import { untouched, withDatabase } from "./_fakes.ts";

const post = (body: string, headers: Record<string, string> = {}) =>
  new Request("http://worker/import", { method: "POST", body, headers });

Deno.test("nobody's file is imported", async () => {
  const { deps } = withDatabase(untouched);
  assert.equal((await respond("import", handler, post("{}"), deps)).status, 401);
});

Deno.test("a body without an upload_id is refused", async () => {
  const { deps } = withDatabase(untouched);
  for (const body of ["", "[]", "null", '{"upload_id": 7}', '{"upload_id": "x"}']) {
    const request = post(body, { authorization: "Bearer token" });
    assert.equal((await respond("import", handler, request, deps)).status, 400, body);
  }
});

Deno.test("pieces have one size, however the bytes come", async () => {
  const text = "abcdefghij";
  for (const cut of [1, 3, 4, 10]) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < text.length; at += cut) {
      parts.push(new TextEncoder().encode(text.slice(at, at + cut)));
    }
    const pieces: string[] = [];
    for await (const piece of inPieces(parts, 4)) pieces.push(new TextDecoder().decode(piece));
    assert.deepEqual(pieces, ["abcd", "efgh", "ij"]);
  }
});
