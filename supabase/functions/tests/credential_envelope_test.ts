// Opens sealed credentials with WebCrypto alone: where the extension cannot run, an edge function that holds the
// organization's data key needs no library. The envelopes are the ones the extension is tested with.
import assert from "node:assert/strict";
import vectors from "../../../tests/vectors/credential_envelopes.json" with { type: "json" };

interface Envelope {
  $sealed: 1;
  alg: string;
  tv: number;
  s: string;
  k: string;
  c: string;
  m: Record<string, string>;
  r: Record<string, string>;
}

interface Context {
  purpose: string;
  organization: string;
  row_id: string;
  version: number;
}

const ALGORITHM = "A256GCM-HKDF-C1";

for (const vector of vectors.envelopes) {
  const key = hex(vectors.tenant_key.key);

  Deno.test(`opens: ${vector.name}`, async () => {
    assert.equal(await open(key, vector, JSON.parse(vector.envelope)), vector.sealed);
  });

  Deno.test(`stays closed elsewhere: ${vector.name}`, async () => {
    const { organization, row_id, purpose, version, key: otherKey } = vectors.other;
    const envelope: Envelope = JSON.parse(vector.envelope);
    for (const other of [{ organization }, { row_id }, { purpose }, { version }]) {
      await assert.rejects(open(key, { ...vector, ...other }, envelope), Refused);
    }
    await assert.rejects(open(hex(otherKey), vector, envelope), Refused);
  });

  Deno.test(`stays closed when altered: ${vector.name}`, async () => {
    const envelope: Envelope = JSON.parse(vector.envelope);
    const flip = (text: string) => (text.startsWith("A") ? "B" : "A") + text.slice(1);
    const altered: Partial<Envelope>[] = [
      { s: flip(envelope.s) },
      { k: flip(envelope.k) },
      { c: flip(envelope.c) },
      { c: envelope.c.slice(0, 22) },
      { alg: "A256GCM" },
      { tv: envelope.tv + 1 },
      { m: { ...envelope.m, password: "set" } },
      { r: { ...envelope.r, passwordRef: "x" } },
    ];
    for (const change of altered) {
      await assert.rejects(open(key, vector, { ...envelope, ...change }), Refused);
    }
  });
}

Deno.test("unwraps the organization's data key with the root key", async () => {
  const { organization, version, wrap_salt, wrapped_key, key } = vectors.tenant_key;
  const root = hex(vectors.root_key.ring.trim().split(":")[1] ?? "");
  const label = fields("switchboard/wrap/v1", organization, String(version));
  const derived = await hkdf(root, hex(wrap_salt), label, 44);
  const opened = await decrypt(derived, label, hex(wrapped_key));
  assert.deepEqual(opened, hex(key));
});

class Refused extends Error {}

/** The sealed text. References (`r`) are no part of it. */
async function open(key: Bytes, context: Context, envelope: Envelope): Promise<string> {
  if (envelope.alg !== ALGORITHM || envelope.tv !== context.version) throw new Refused();
  const aad = fields(
    "switchboard/v1",
    envelope.alg,
    context.purpose,
    context.organization,
    context.row_id,
    String(envelope.tv),
    canonical(envelope.m),
    canonical(envelope.r),
  );
  const derived = await hkdf(key, base64url(envelope.s), aad, 76);
  if (!await equal(derived.slice(44), base64url(envelope.k))) throw new Refused();
  const padded = await decrypt(derived.slice(0, 44), aad, base64url(envelope.c));
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded.length % 64 !== 0 || padded.length - end > 64 || padded[end] !== 0x80) {
    throw new Refused();
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(padded.subarray(0, end));
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Each part behind its length as four bytes, big-endian. */
function fields(...parts: string[]): Bytes {
  const encoded = parts.map((part) => new TextEncoder().encode(part));
  const out = new Uint8Array(encoded.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of encoded) {
    new DataView(out.buffer).setUint32(at, part.length);
    out.set(part, at + 4);
    at += 4 + part.length;
  }
  return out;
}

/** Compact JSON with sorted keys. Names begin with a letter, so no key is moved to the front as an array index. */
function canonical(readable: Record<string, string>): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(readable).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
}

async function hkdf(key: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const material = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt, info };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, material, 8 * length));
}

/** `derived` is a key of 32 bytes and an IV of 12. */
async function decrypt(derived: Bytes, additionalData: Bytes, data: Bytes): Promise<Bytes> {
  const raw = derived.slice(0, 32);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  const algorithm = { name: "AES-GCM", iv: derived.slice(32, 44), additionalData };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, data));
  } catch {
    throw new Refused();
  }
}

/** WebCrypto compares in constant time only when it verifies: both sides are MACed under a key made for this call. */
async function equal(a: Bytes, b: Bytes): Promise<boolean> {
  const hmac: HmacKeyGenParams = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.generateKey(hmac, false, ["sign", "verify"]);
  return crypto.subtle.verify("HMAC", key, await crypto.subtle.sign("HMAC", key, a), b);
}

function base64url(text: string): Bytes {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function hex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
