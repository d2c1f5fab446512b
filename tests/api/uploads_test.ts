// A file of leads over HTTP: in pieces by supabase-js, cut off in the middle, by two people at once, and from Storage by
// the edge function import.
import assert from "node:assert/strict";
import {
  appendPieces,
  commitUpload,
  inPieces,
  type Unwrap,
} from "../../supabase/functions/_shared/uploads.ts";
import { client, member, ok, service, sql, type Tenant, tenant, told } from "./_client.ts";
import type { SupabaseClient } from "./_client.ts";
import { Session } from "./_session.ts";

const unwrap: Unwrap = (step, answer) => {
  assert.equal(answer.error, null, step);
  return answer.data;
};

/** Rows from one number on; every tenth has no number. */
const file = (from: number, rows: number) =>
  new TextEncoder().encode(
    "first_name,phone_number,Roof\n" +
      Array.from({ length: rows }, (_, i) => {
        const number = `0740${String(from + i).padStart(7, "0")}`;
        return `Lead ${i},${i % 10 === 9 ? "" : number},"flat, ${i}"\n`;
      }).join(""),
  );

async function dataset(of: Tenant): Promise<string> {
  await service().from("organizations").update({ plan: "enterprise" }).eq("id", of.id);
  return ok(await of.as.from("datasets").insert({ name: "List" }).select("id").single()).id;
}

async function sent(as: SupabaseClient, dataset_id: string, bytes: Uint8Array): Promise<string> {
  const options = { required_fields: [], duplicate_action: "skip" };
  const created = told(
    "create_upload",
    await as.rpc("create_upload", {
      dataset_id,
      filename: "x.csv",
      file_size: bytes.length,
      options,
    }),
  );
  await appendPieces(as, created.upload_id, inPieces([bytes], 50_000), 0, unwrap);
  return created.upload_id;
}

/** Each row of the file once: as a lead, as a row that made none, or as a failed one. */
async function accounted(upload: string): Promise<number[]> {
  return await sql(async (db) => {
    const rows = await db<{ row_number: number }[]>`
      select row_number from public.leads where upload_id = ${upload}
      union all select row_number from public.upload_rows where upload_id = ${upload}
      union all select distinct row_number from public.upload_errors where upload_id = ${upload}
      order by 1`;
    return rows.map(({ row_number }) => row_number);
  });
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

Deno.test("an import that loses its connection in the middle goes on, each row once", async () => {
  const a = await tenant();
  const target = await dataset(a);
  const upload = await sent(a.as, target, file(1_000_000, 25_000));
  // A call is made, and its backend ends before it answers: nothing of it is there.
  const call = a.as.rpc("commit_upload", { upload_id: upload }).then((answer) => answer);
  await sql(async (db) => {
    for (let tries = 0; tries < 20_000; tries++) {
      const ended = await db`
        select pg_terminate_backend(pid) from pg_stat_activity
        where usename = 'authenticator' and state = 'active' and query ~ 'commit_upload' and pid <> pg_backend_pid()`;
      if (ended.length > 0) return;
    }
    throw new Error("the call was over before it could be ended");
  });
  assert.ok((await call).error);
  const status = ok(
    await a.as.from("uploads").select("status,rows_detected").eq("id", upload).single(),
  );
  assert.deepEqual(status, { status: "pending", rows_detected: 0 });
  assert.equal(ok(await a.as.from("leads").select("id").eq("dataset_id", target)).length, 0);

  const heard: number[] = [];
  const done = await commitUpload(a.as, upload, unwrap, ({ detected }) => heard.push(detected));
  assert.equal(done.status, "completed");
  assert.deepEqual([done.detected, done.inserted, done.failed], [25_000, 22_500, 2_500]);
  assert.equal(heard.at(-1), 25_000);
  assert.deepEqual(await accounted(upload), numbers(25_000));
  const counted = ok(await a.as.from("datasets").select("total_leads").eq("id", target).single());
  assert.equal(counted.total_leads, 22_500);
});

Deno.test("two members import overlapping files into one dataset at once", async () => {
  const a = await tenant();
  const target = await dataset(a);
  const other = client(await member(a, "admin"), a.id);
  const uploads = [
    await sent(a.as, target, file(2_000_000, 12_000)),
    await sent(other, target, file(2_006_000, 12_000)),
  ];
  const done = await Promise.all([
    commitUpload(a.as, uploads[0] ?? "", unwrap),
    commitUpload(other, uploads[1] ?? "", unwrap),
  ]);
  for (const { status, detected, inserted, merged, skipped, suppressed, failed } of done) {
    assert.deepEqual([status, detected], ["completed", 12_000]);
    assert.equal(inserted + merged + skipped + suppressed + failed, 12_000);
  }
  for (const upload of uploads) assert.deepEqual(await accounted(upload), numbers(12_000));
  // Every number once, whoever came first: 5,400 are in both files.
  assert.equal(done.reduce((sum, { inserted }) => sum + inserted, 0), 2 * 10_800 - 5_400);
  const counted = ok(await a.as.from("datasets").select("total_leads").eq("id", target).single());
  assert.equal(counted.total_leads, 2 * 10_800 - 5_400);
});

Deno.test("an import that is taken back leaves what somebody works on, in that moment too", async () => {
  const a = await tenant();
  const upload_id = await sent(a.as, await dataset(a), file(1, 9));
  const done = await commitUpload(a.as, upload_id, unwrap);
  assert.equal(done.inserted, 9);
  const leads = ok(await a.as.from("leads").select("id").eq("upload_id", upload_id));
  const [noted, called] = leads.map(({ id }) => id);
  ok(await a.as.from("leads").update({ notes: "Spoke to her" }).eq("id", noted!).select("id"));
  const first = await Session.begin(a.owner, a.id);
  const second = await Session.begin(a.owner, a.id);
  const hot = await first.run("select public.set_lead_status($1, 'HOT')", [called!]);
  assert.equal(hot.code, undefined);
  const undone = second.run("select public.undo_upload($1)", [upload_id]);
  await second.waits(undone);
  await first.commit();
  const { deleted, remaining } = (await undone).value as Record<string, number>;
  assert.deepEqual([deleted, remaining], [7, 2]);
  await second.commit();
  const again = told("undo_upload", await a.as.rpc("undo_upload", { upload_id }));
  assert.deepEqual([again.deleted, again.remaining], [0, 2]);
});
