// What the Twilio webhooks' border trusts: signatures, the URL they are checked against, form fields.
import assert from "node:assert/strict";
import { Refusal } from "../_shared/errors.ts";
import { field, isSignedBy, parseForm, publicUrl, readForm } from "../_shared/twilio.ts";
import vectors from "../../../tests/vectors/twilio_signatures.json" with { type: "json" };

const FORM = "application/x-www-form-urlencoded";

for (const vector of vectors.cases) {
  Deno.test(`${vector.valid ? "accepts" : "refuses"}: ${vector.name}`, () => {
    const { url, signature, body } = vector;
    const parameters = vector.content_type === FORM ? parseForm(body) : null;
    assert.equal(isSignedBy(vector.tokens, { url, signature, body, parameters }), vector.valid);
  });
}

Deno.test("a second implementation, from Twilio's description, agrees with the vectors", async () => {
  for (const vector of vectors.cases.filter((one) => one.valid)) {
    const fields = vector.content_type === FORM ? [...new URLSearchParams(vector.body)] : [];
    const pairs = [...new Set(fields.map(([name, value]) => JSON.stringify([name, value])))]
      .map((pair) => JSON.parse(pair) as [string, string])
      .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1));
    const tail = pairs.map(([name, value]) => name + value).join("");
    const withPort = vector.url.replace(/^(https:\/\/[^/:]+)(?=\/)/, "$1:443");
    const withoutPort = vector.url.replace(/^(https:\/\/[^/:]+):\d+/, "$1");
    const expected = await Promise.all(
      vector.tokens.flatMap((token) =>
        [vector.url, withPort, withoutPort].map((url) => hmacSha1(token, url + tail))
      ),
    );
    assert.ok(expected.includes(vector.signature), vector.name);
  }
});

Deno.test("no signature and no token are refused", () => {
  const request = { url: "https://switchboard.example/x", body: "", parameters: {} };
  assert.equal(isSignedBy(["12345"], { ...request, signature: null }), false);
  assert.equal(isSignedBy([], { ...request, signature: "RSOYDt4T1cUTdK1PDd93/VVr8B8=" }), false);
});

Deno.test("the signed URL comes from configuration; only its query from the request", () => {
  const request = new Request("http://10.0.0.7:9000/voice-inbound?branch=north", {
    headers: { host: "evil.example", "x-forwarded-host": "evil.example" },
  });
  assert.equal(
    publicUrl("https://switchboard.example/functions/v1", "voice-inbound", request),
    "https://switchboard.example/functions/v1/voice-inbound?branch=north",
  );
});

Deno.test("form fields: repeated ones are kept, odd names are ordinary names", () => {
  const fields = parseForm("a=1&b=%2B44&a=2&a=2&__proto__=x&constructor=y");
  assert.deepEqual(fields.a, ["1", "2", "2"]);
  assert.equal(fields.b, "+44");
  assert.deepEqual(Object.keys(fields).sort(), ["__proto__", "a", "b", "constructor"]);
  assert.equal(field(fields, "b"), "+44");
});

Deno.test("a field that is absent, blank or repeated is refused by name", () => {
  for (const body of ["To=+44", "From=&To=%2B44", "From=%20", "From=1&From=2"]) {
    assert.throws(
      () => field(parseForm(body), "From"),
      (error) => error instanceof Refusal && error.message.includes("From"),
    );
  }
});

Deno.test("bodies that are not forms, or too large, are refused before anything else", async () => {
  const url = "https://switchboard.example/functions/v1/voice-inbound";
  const post = (type: string, body: string) =>
    readForm(new Request(url, { method: "POST", headers: { "content-type": type }, body }), url);
  await assert.rejects(post("application/json", "{}"), { code: "unsupported_media_type" });
  await assert.rejects(post(FORM, "a".repeat(64 * 1024 + 1)), { code: "payload_too_large" });
  assert.deepEqual((await post(`${FORM}; charset=UTF-8`, "a=1")).parameters, { a: "1" });
});

async function hmacSha1(key: string, text: string): Promise<string> {
  const encode = (value: string) => new TextEncoder().encode(value);
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const imported = await crypto.subtle.importKey("raw", encode(key), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", imported, encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(mac)));
}
