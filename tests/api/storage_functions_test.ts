// The functions that move files between Storage and the database: the real handlers with the real database, and a Storage
// on loopback.
import assert from "node:assert/strict";
import { deps } from "../../supabase/functions/_shared/deps.ts";
import { type Handler, respond } from "../../supabase/functions/_shared/serve.ts";
import { handler as exporting } from "../../supabase/functions/export/handler.ts";
import { handler as importing } from "../../supabase/functions/import/handler.ts";
import { member, ok, type Person, sql, type Tenant, tenant } from "./_client.ts";
import { withStorage } from "./_storage.ts";

interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any
  body: any;
}

async function ask(
  name: string,
  handler: Handler,
  who: Person,
  organization: string,
  body: unknown,
): Promise<Answer> {
  const request = new Request(`http://worker/${name}`, {
    method: "POST",
    headers: { authorization: `Bearer ${who.token}`, "x-organization-id": organization },
    body: JSON.stringify(body),
  });
  const response = await respond(name, handler, request, { ...deps(), log: () => {} });
  return { status: response.status, body: await response.json() };
}

async function dataset(a: Tenant): Promise<string> {
  return ok(await a.as.from("datasets").insert({ name: crypto.randomUUID() }).select("id").single())
    .id;
}

/** A file of so many bytes and more: `rows` lines, each long. */
function list(rows: number): Uint8Array {
  const filler = "x".repeat(900);
  const lines = Array.from(
    { length: rows },
    (_, i) => `Lead ${i},074${String(i).padStart(8, "0")},${filler}`,
  );
  return new TextEncoder().encode(`first_name,phone_number,Filler\n${lines.join("\n")}\n`);
}

async function upload(a: Tenant, path: string, dataset_id: string): Promise<string> {
  const created = ok(
    await a.as.rpc("create_upload", {
      dataset_id,
      filename: "list.csv",
      storage_path: path,
      options: { required_fields: [] },
    }),
  ) as { upload_id: string };
  return created.upload_id;
}

/** The same request until the import is over, as the function asks of a caller. */
async function untilDone(a: Tenant, upload_id: string): Promise<Answer["body"]> {
  let refused = 0;
  while (true) {
    const { status, body } = await ask("import", importing, a.owner, a.id, { upload_id });
    // A busy machine may not answer within the function's time.
    if (status === 503 && ++refused < 10) continue;
    assert.equal(status, 200, JSON.stringify(body));
    if (body.status === "completed" || body.problem) return body;
  }
}

Deno.test("a file of many pieces goes from Storage into leads, through an answer that breaks off", async () => {
  const a = await tenant();
  const target = await dataset(a);
  const path = `${a.id}/${target}/spring list.csv`;
  const file = list(12_000);
  await withStorage(async (storage) => {
    storage.objects.set(`csv_uploads/${path}`, file);
    const upload_id = await upload(a, path, target);
    const first = await ask("import", importing, a.owner, a.id, { upload_id });
    assert.equal(first.body.status, "pending");
    assert.ok(first.body.bytes_received < file.length, "one request takes some pieces");
    storage.fails = () => new Response("gateway", { status: 502 });
    assert.equal((await ask("import", importing, a.owner, a.id, { upload_id })).status, 503);
    storage.fails = undefined;
    const last = await untilDone(a, upload_id);
    assert.deepEqual(
      [last.status, last.detected, last.inserted, last.failed],
      ["completed", 12_000, 12_000, 0],
    );
    const [row] = await sql((db) =>
      db`select count(*)::integer as n, count(distinct row_number)::integer as rows from public.leads where upload_id = ${upload_id}`
    );
    assert.deepEqual([row!.n, row!.rows], [12_000, 12_000], "each row once");
    assert.equal(
      (await ask("import", importing, a.owner, a.id, { upload_id })).body.status,
      "completed",
    );
  });
});

Deno.test("an import asks for nothing that is not the caller's, and says what is missing", async () => {
  const a = await tenant();
  const b = await tenant();
  const target = await dataset(a);
  await withStorage(async (storage) => {
    const path = `${a.id}/${target}/gone.csv`;
    const upload_id = await upload(a, path, target);
    assert.equal(
      (await ask("import", importing, a.owner, a.id, { upload_id })).status,
      404,
      "no file",
    );
    storage.objects.set(`csv_uploads/${path}`, list(3));
    const heard = storage.heard.length;
    assert.equal((await ask("import", importing, b.owner, b.id, { upload_id })).status, 404);
    const viewer = await member(a, "viewer");
    assert.equal((await ask("import", importing, viewer, a.id, { upload_id })).status, 403);
    assert.equal(storage.heard.length, heard + 1, "another tenant's file was not asked for");
    const foreign = await a.as.rpc("create_upload", {
      dataset_id: target,
      filename: "x.csv",
      storage_path: `${b.id}/x.csv`,
    });
    assert.equal(foreign.error?.code, "22023");
    assert.equal((await untilDone(a, upload_id)).inserted, 3);
  });
});

Deno.test("leads go into a file in Storage, and expired files go", async () => {
  const a = await tenant();
  const b = await tenant();
  const target = await dataset(a);
  const rows = Array.from({ length: 4_100 }, (_, i) => ({
    first_name: `Lead ${i}`,
    phone_number: `074${String(i).padStart(8, "0")}`,
  }));
  ok(
    await a.as.rpc("import_leads", { dataset_id: target, rows, options: { required_fields: [] } }),
  );
  await withStorage(async (storage) => {
    const first = await ask("export", exporting, a.owner, a.id, {
      filters: { dataset_id: target },
    });
    assert.equal(first.status, 200, JSON.stringify(first.body));
    const file = new TextDecoder().decode(
      storage.objects.get(`exports/${first.body.storage_path}`),
    );
    const lines = file.trimEnd().split("\r\n");
    assert.equal(lines.length, 4_101);
    assert.equal(new Set(lines.map((line) => line.split(",")[2])).size, 4_101, "each lead once");
    assert.match(lines[1]!, /^Lead \d+,,"=""\+447400\d{6}""",/);
    const row = ok(await a.as.from("exports").select("status,rows_written,file_size").single());
    assert.deepEqual(row, { status: "ready", rows_written: 4_100, file_size: file.length });

    storage.fails = (request) =>
      request.method === "POST" ? new Response(null, { status: 413 }) : undefined;
    assert.equal((await ask("export", exporting, a.owner, a.id, {})).status, 413);
    assert.equal(
      ok(await a.as.from("exports").select("problem").eq("status", "failed").single()).problem,
      "storage_413",
    );
    storage.fails = undefined;

    await sql((db) =>
      db`update public.exports set expires_at = now() where organization_id = ${a.id}`
    );
    assert.equal((await ask("export", exporting, b.owner, b.id, {})).status, 200);
    assert.ok(
      storage.objects.has(`exports/${first.body.storage_path}`),
      "another tenant deletes nothing",
    );
    storage.fails = (request) =>
      request.method === "DELETE"
        ? Response.json({ statusCode: "403", error: "Unauthorized" }, { status: 400 })
        : undefined;
    assert.equal((await ask("export", exporting, a.owner, a.id, { query: "nobody" })).status, 200);
    storage.fails = undefined;
    assert.equal(ok(await a.as.from("exports").select("id")).length, 3, "a refusal is no absence");
    assert.equal((await ask("export", exporting, a.owner, a.id, { query: "nobody" })).body.rows, 0);
    assert.ok(
      !storage.objects.has(`exports/${first.body.storage_path}`),
      "the next export deletes it",
    );
    assert.equal(ok(await a.as.from("exports").select("id")).length, 2, "with its row");

    for (const role of ["viewer", "sales_rep"] as const) {
      const person = await member(a, role);
      assert.equal((await ask("export", exporting, person, a.id, {})).status, 403, role);
    }
    assert.equal((await ask("export", exporting, b.owner, a.id, {})).status, 403);
    assert.equal(
      (await ask("export", exporting, a.owner, a.id, { filters: { x: 1 } })).status,
      400,
    );
  });
});
