/**
 * `POST /export {query?, filters?}`: writes the leads that `search_leads` finds into a CSV file in the bucket
 * `exports`, a page at a time, and deletes the organization's files that have expired. Answers where it lies.
 */
import { answerOf } from "../_shared/answers.ts";
import { Refusal, unwrapForUser } from "../_shared/errors.ts";
import type { Context, Handler } from "../_shared/serve.ts";
import { objectUrl } from "../_shared/storage.ts";
import type { Json, SupabaseClient } from "../_shared/supabase.ts";

/** Lines that are held at a time. */
const PAGE = 1_000;
/** Expired files that one request deletes. */
const EXPIRED = 20;

type Cursor = { created_at: string; id: string } | null;

/** The file, read from the database as fast as Storage takes it. */
function file(client: SupabaseClient, exportId: string, written: { rows: number; bytes: number }) {
  const encoder = new TextEncoder();
  let after: Cursor = null;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const asked = await client.rpc("export_leads", {
        export_id: exportId,
        after: after as Json,
        page_size: PAGE,
      });
      const page = answerOf("export_leads", unwrapForUser("export leads", asked));
      const lines = encoder.encode(page.csv);
      written.rows += page.rows;
      written.bytes += lines.length;
      controller.enqueue(lines);
      after = page.next;
      if (after === null) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** `{query, filters}` of the body, which may be empty. */
async function wanted(request: Request): Promise<{ query?: string; filters?: Json }> {
  const text = await request.text();
  let body: unknown = {};
  try {
    if (text.trim() !== "") body = JSON.parse(text);
  } catch {
    body = null;
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new Refusal("bad_request", "Send {query, filters}, as for search_leads, or nothing.");
  }
  const { query, filters } = body as { query?: unknown; filters?: Json };
  if (query !== undefined && typeof query !== "string") {
    throw new Refusal("bad_request", "query must be a text.");
  }
  return { query, filters };
}

/** Whether Storage says of a file that it is not there: 404, or 400 with that in its body. */
function isMissing(status: number, body: string): boolean {
  if (status === 404) return true;
  try {
    return status === 400 && String(JSON.parse(body).statusCode) === "404";
  } catch {
    return false;
  }
}

/** Files of the organization that have expired, and their rows. Whose they are, the caller's own rights have said. */
async function forgetExpired(service: SupabaseClient, organizationId: string): Promise<number> {
  const { data } = await service.from("exports").select("id,storage_path")
    .eq("organization_id", organizationId).lt("expires_at", new Date().toISOString())
    .order("created_at").limit(EXPIRED);
  let forgotten = 0;
  for (const { id, storage_path } of data ?? []) {
    const response = await fetch(objectUrl("exports", storage_path ?? ""), {
      method: "DELETE",
      headers: { authorization: `Bearer ${Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")}` },
    });
    const said = await response.text();
    if (!response.ok && !isMissing(response.status, said)) continue;
    await service.from("exports").delete().eq("organization_id", organizationId).eq("id", id);
    forgotten += 1;
  }
  return forgotten;
}

/** Answers 200 `{export_id, storage_path, expires_at, rows, bytes}`, 400, 401, 403, 413, 503. */
export const handler: Handler = {
  methods: ["POST"],
  browsers: true,
  async handle(request, { forUser, service, note }: Context) {
    const client = forUser(request);
    const begun = await client.rpc("create_export", await wanted(request));
    const made = answerOf("create_export", unwrapForUser("create export", begun));
    const organization = made.storage_path.split("/")[0]!;
    const written = { rows: 0, bytes: 0 };
    const stored = await fetch(objectUrl("exports", made.storage_path), {
      method: "POST",
      headers: {
        authorization: request.headers.get("authorization") ?? "",
        "x-organization-id": organization,
        "content-type": "text/csv",
      },
      body: file(client, made.export_id, written),
    }).catch((error: Error) => error);
    note({ rows: written.rows, bytes: written.bytes });
    const problem = stored instanceof Error
      ? "storage_unreachable"
      : stored.ok
      ? undefined
      : `storage_${stored.status}`;
    if (!(stored instanceof Error)) await stored.body?.cancel();
    const finished = await client.rpc("finish_export", {
      export_id: made.export_id,
      file_size: written.bytes,
      ...(problem === undefined ? {} : { problem }),
    });
    unwrapForUser("finish export", finished);
    if (problem !== undefined) {
      if (problem === "storage_413") {
        throw new Refusal(
          "payload_too_large",
          "The file passes the bucket's limit. Export less at a time.",
        );
      }
      throw new Refusal("unavailable", "Storage did not take the file. Try again.");
    }
    note({ forgotten: await forgetExpired(service, organization) });
    return Response.json({ ...made, ...written });
  },
};
