/**
 * A file goes into an import: its pieces one after another, then the rows, a few seconds a call. What is
 * sent twice is taken once, so both begin again where they stopped.
 */
import { answerOf, type UploadProgress } from "./answers.ts";
import type { Json, SupabaseClient } from "./supabase.ts";

/** Makes data of an answer, or throws what became of it: `unwrapForUser` in a function. */
export type Unwrap = (
  step: string,
  answer:
    | { data: Json; error: null; status: number }
    | { data: null; error: { code: string; message: string }; status: number },
) => Json;

/** Bytes of a piece; the database takes 4 MB. */
export const PIECE_BYTES = 1024 * 1024;

/** Bytes as base64, in bounded steps: one call with all of them would overflow the stack. */
function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 0x6000) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000))));
  }
  return parts.join("");
}

/** Bytes in pieces of one size, however they come; the last may be smaller. */
export async function* inPieces(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size = PIECE_BYTES,
): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (const bytes of source) {
    const joined = new Uint8Array(rest.length + bytes.length);
    joined.set(rest);
    joined.set(bytes, rest.length);
    let at = 0;
    for (; joined.length - at >= size; at += size) yield joined.subarray(at, at + size);
    rest = joined.slice(at);
  }
  if (rest.length > 0) yield rest;
}

/** Sends pieces from number `seq` on and says after each how many bytes have come. */
export async function appendPieces(
  client: SupabaseClient,
  uploadId: string,
  pieces: AsyncIterable<Uint8Array>,
  seq: number,
  unwrap: Unwrap,
  heard: (bytesReceived: number) => void = () => {},
): Promise<void> {
  for await (const piece of pieces) {
    const chunk = base64(piece);
    const answer = await client.rpc("append_upload_chunk", { upload_id: uploadId, seq, chunk });
    seq += 1;
    heard(answerOf("append_upload_chunk", unwrap("append piece", answer)).bytes_received);
  }
}

/** How often, and how long at most in ms, a call waits for another import or for who changes the same leads. */
const WAITS = 60;
const LONGEST_WAIT = 2_000;

/**
 * Imports what is left of a file and says after each call how far it is. Ends when the import is completed,
 * has failed, or stands still for a reason (`problem`).
 */
export async function commitUpload(
  client: SupabaseClient,
  uploadId: string,
  unwrap: Unwrap,
  heard: (progress: UploadProgress) => void = () => {},
): Promise<UploadProgress> {
  let waits = 0;
  while (true) {
    const answer = await client.rpc("commit_upload", { upload_id: uploadId });
    if (/^(import_running|leads_changed)$/.test(answer.error?.message ?? "") && waits < WAITS) {
      await new Promise((wake) => setTimeout(wake, Math.min(100 * 2 ** waits, LONGEST_WAIT)));
      waits += 1;
      continue;
    }
    waits = 0;
    const progress = answerOf("commit_upload", unwrap("commit upload", answer));
    heard(progress);
    if (progress.status !== "processing" || progress.problem !== null) return progress;
  }
}
