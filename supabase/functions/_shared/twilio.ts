/**
 * Twilio's webhook rules: which URL it signed, what the signature covers, which parameters came in.
 * The arithmetic is twilio's own library. Called by the functions that Twilio calls.
 */
import { Refusal } from "./errors.ts";
import { validateRequest, validateRequestWithBody } from "./twilio_library.ts";

/** Form fields by name; a repeated field keeps every value, in the order sent. */
export type Parameters = Record<string, string | string[]>;

/** An incoming webhook as Twilio signed it. */
export interface SignedRequest {
  /** The public URL from configuration, with the query string that Twilio called. */
  url: string;
  /** Value of `X-Twilio-Signature`: base64 of HMAC-SHA1. */
  signature: string | null;
  /** Raw body. */
  body: string;
  /** Parsed form fields; null when the body is JSON (then the URL carries `bodySHA256`). */
  parameters: Parameters | null;
}

/** Twilio's own requests stay far below this; anything larger is not one. */
const MAX_BODY_BYTES = 64 * 1024;

const FORM = "application/x-www-form-urlencoded";

/**
 * The public URL of a function: from configuration, because behind a proxy the request names an
 * internal host, and because a Host header is the caller's to choose. The query string is taken
 * from the request: it is covered by the signature, and `bodySHA256` lives there.
 */
export function publicUrl(functionsUrl: string, name: string, request: Request): string {
  return `${functionsUrl}/${name}${new URL(request.url).search}`;
}

/** Reads a form webhook. Refuses other content types and bodies over 64 KiB. */
export async function readForm(request: Request, url: string): Promise<SignedRequest> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== FORM) throw new Refusal("unsupported_media_type", `send the webhook as ${FORM}`);
  const body = await readBody(request);
  return {
    url,
    signature: request.headers.get("x-twilio-signature"),
    body,
    parameters: parseForm(body),
  };
}

/** Form fields of a body; a field given more than once becomes an array. */
export function parseForm(body: string): Parameters {
  const values = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(body)) {
    const before = values.get(name);
    if (before === undefined) values.set(name, value);
    else if (Array.isArray(before)) before.push(value);
    else values.set(name, [before, value]);
  }
  return Object.fromEntries(values);
}

/** The one value of a field. Refuses an absent, empty or repeated one, naming the field. */
export function field(parameters: Parameters, name: string): string {
  const value = parameters[name];
  if (typeof value !== "string" || value.trim() === "") {
    throw new Refusal("bad_request", `form field ${name} must be given once and not be empty`);
  }
  return value;
}

/**
 * Whether one of the tokens signed this request (Twilio: base64 HMAC-SHA1 over the public URL
 * followed by the sorted name/value pairs; a JSON body is covered by its `bodySHA256`). The library
 * tries the URL with and without a port and compares in constant time. During a rotation two
 * tokens are valid; every given token is tried, so the time does not tell which one matched.
 */
export function isSignedBy(tokens: readonly string[], request: SignedRequest): boolean {
  const { url, signature, body, parameters } = request;
  if (!signature) return false;
  const matches = tokens.filter((token) => token !== "").map((token) =>
    parameters
      ? validateRequest(token, signature, url, parameters)
      : validateRequestWithBody(token, signature, url, body)
  );
  return matches.includes(true);
}

/** Reads at most `MAX_BODY_BYTES`, whatever Content-Length says. */
async function readBody(request: Request): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) {
      throw new Refusal("payload_too_large", `body exceeds ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return await new Blob(chunks as BlobPart[]).text();
}
