/**
 * `POST /import {upload_id}`: takes the file of an upload from Storage (bucket `csv_uploads`, at the
 * upload's `storage_path`) into the database and imports it, for as long as one request may last. Answers how
 * far it is; a caller goes on with the same request until `status` is `completed` or there is a `problem`.
 */
import { answerOf, type UploadProgress } from "../_shared/answers.ts";
import { Refusal, unwrapForUser } from "../_shared/errors.ts";
import type { Context, Handler } from "../_shared/serve.ts";
import { objectUrl } from "../_shared/storage.ts";
import { appendPieces, inPieces, PIECE_BYTES } from "../_shared/uploads.ts";

/** A request has two seconds of CPU: so many pieces, or one call of commit_upload. */
const PIECES_A_REQUEST = 8;

/** A part of a file, read under the caller's own token, and the length of the whole. */
async function part(
  request: Request,
  path: string,
  from: number,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array; total: number }> {
  const response = await fetch(objectUrl("authenticated/csv_uploads", path), {
    headers: {
      authorization: request.headers.get("authorization") ?? "",
      // Storage's policies ask for which organization, as the database does.
      "x-organization-id": path.split("/")[0]!,
      range: `bytes=${from}-${from + PIECES_A_REQUEST * PIECE_BYTES - 1}`,
    },
    signal,
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status === 206) {
    const total = Number(response.headers.get("content-range")?.split("/")[1]);
    if (Number.isSafeInteger(total)) return { bytes, total };
  }
  // Storage answers whole a file that is smaller than the range.
  if (response.status === 200 && from < bytes.length) {
    return { bytes: bytes.subarray(from), total: bytes.length };
  }
  if (response.status === 416) throw new Refusal("conflict", "The file has become shorter.");
  if ([400, 401, 403, 404].includes(response.status)) {
    throw new Refusal("not_found", "Storage has no file at the upload's storage_path for you.");
  }
  throw new Refusal("unavailable", "Storage did not answer. Try again.");
}

/** `{upload_id}` of the body. */
async function uploadId(request: Request): Promise<string> {
  const body: unknown = await request.json().catch(() => null);
  const id = body !== null && typeof body === "object" && "upload_id" in body && body.upload_id;
  if (typeof id !== "string" || !/^[0-9a-f-]{36}$/i.test(id)) {
    throw new Refusal("bad_request", "Send {upload_id}, as create_upload answered it.");
  }
  return id;
}

/** Answers 200 with the progress that `commit_upload` has, 400, 401, 403, 404, 409, 429, 503. */
export const handler: Handler = {
  methods: ["POST"],
  browsers: true,
  async handle(request, { forUser, budgetMs, note }: Context) {
    const client = forUser(request);
    const id = await uploadId(request);
    const asked = client.from("uploads")
      .select("id,status,storage_path,file_size,bytes_received,rows_detected")
      .eq("id", id).abortSignal(AbortSignal.timeout(budgetMs)).maybeSingle();
    const upload = unwrapForUser("read upload", await asked);
    if (!upload?.storage_path) {
      throw new Refusal("not_found", "You have no upload with this id and a storage_path.");
    }
    const total = upload.file_size;
    if (upload.status === "pending" && (total === null || upload.bytes_received < total)) {
      const signal = AbortSignal.timeout(30_000);
      const read = await part(request, upload.storage_path, upload.bytes_received, signal);
      const seq = Math.floor(upload.bytes_received / PIECE_BYTES);
      let received = upload.bytes_received;
      await appendPieces(
        client,
        id,
        inPieces([read.bytes]),
        seq,
        unwrapForUser,
        (bytes) => received = bytes,
      );
      note({ bytes: received });
      if (received < read.total) {
        return Response.json({ ...waiting(id), bytes_received: received, file_size: read.total });
      }
    }
    const committed = await client.rpc("commit_upload", { upload_id: id });
    const progress = answerOf("commit_upload", unwrapForUser("commit upload", committed));
    note({ status_of_import: progress.status, rows: progress.detected });
    return Response.json(progress);
  },
};

/** The progress of a file that is still coming. */
function waiting(id: string): UploadProgress {
  const none = { detected: 0, inserted: 0, merged: 0, skipped: 0, suppressed: 0, failed: 0 };
  return {
    upload_id: id,
    status: "pending",
    problem: null,
    row_total: null,
    ...none,
    rows_per_second: null,
    seconds_remaining: null,
  };
}
