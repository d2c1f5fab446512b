// Files as others wrote them, and files at random: what a row is, and that every row of a file becomes one thing.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spectrum } from "./_spectrum.ts";
import { appendPieces, commitUpload, inPieces } from "../../supabase/functions/_shared/uploads.ts";
import { ok, service, sql, tenant, told } from "./_client.ts";

interface Item {
  name: string;
  csv: Buffer;
  json: Buffer;
}

const items = await new Promise<Item[]>((resolve, reject) =>
  spectrum((error: Error | null, found: Item[]) => error ? reject(error) : resolve(found))
);

/** The rows of a file by the names of its columns, read in pieces of so many bytes. */
async function rows(file: Uint8Array, size: number): Promise<Record<string, string>[]> {
  const pieces: string[] = [];
  for await (const piece of inPieces([file], size)) {
    pieces.push(`select '\\x${Buffer.from(piece).toString("hex")}'::bytea as piece`);
  }
  const source = pieces.join(" union all ");
  return await sql(async (db) => {
    const [found] = await db`select * from switchboard.csv_profile(${source}, '{}')`;
    const { header, encoding, delimiter, body_at } = found as {
      header: string[];
      encoding: string;
      delimiter: string;
      body_at: string;
    };
    const options = JSON.stringify({ header, encoding, delimiter, cells: true, mapping: {} });
    const read = await db<{ cells: string[] }[]>`
      select cells from switchboard.csv_leads(${source}, ${options}::text::jsonb, ${body_at}, 1, null)`;
    return read.map(({ cells }) =>
      Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ""]))
    );
  });
}

Deno.test("the files of csv-spectrum say what it says they say, in pieces of any size", async (t) => {
  assert.equal(items.length, 12);
  for (const { name, csv, json } of items) {
    await t.step(name, async () => {
      let wanted = JSON.parse(json.toString());
      if (!Array.isArray(wanted)) wanted = [wanted];
      // Its answer is of another row than its file.
      if (name === "location_coordinates") wanted[0]["Contact Phone Number"] = "2095257564";
      for (const size of [1, 7, csv.length]) assert.deepEqual(await rows(csv, size), wanted);
    });
  }
});

Deno.test("of every file, whatever is in it: detected = inserted + merged + skipped + suppressed + failed", async () => {
  const a = await tenant();
  await service().from("organizations").update({ plan: "enterprise" }).eq("id", a.id);
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  let state = seed;
  const random = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
  ok(await a.as.from("suppressions").insert({ phone_number: "07400 000003" }).select("id"));
  const phone = () =>
    [
      "07400 00000" + random(10),
      "0740000" + String(random(9999)).padStart(4, "0"),
      "",
      "12",
      "O7",
      "+14155552671",
      "7.7E+9",
    ][
      random(7)
    ];
  const cell = () => ["", "x", '"a, b"', '"two\nlines"', '"say ""so"""', " y ", "="][random(7)];
  const line = () => {
    const cells = [["Ann", "", "Bo"][random(3)], phone(), cell()];
    // Too few, too many, nothing at all.
    if (random(12) === 0) cells.pop();
    if (random(12) === 0) cells.push(cell());
    return random(20) === 0 ? "" : cells.join(",");
  };
  for (let round = 0; round < 24; round++) {
    const { id } = ok(
      await a.as.from("datasets").insert({ name: `List ${round}` }).select("id").single(),
    );
    const end = random(2) ? "\n" : "\r\n";
    const text = [
      "first_name,phone_number,Note",
      ...Array.from({ length: 1 + random(60) }, line),
      "Zoe,07400999999,z",
    ]
      .join(end);
    const options = {
      duplicate_action: ["flag", "skip", "merge", "keep_both"][round % 4]!,
      required_fields: [],
    };
    const upload = told(
      "create_upload",
      await a.as.rpc("create_upload", { dataset_id: id, filename: "x.csv", options }),
    ).upload_id;
    const unwrap = (step: string, answer: { data: unknown; error: unknown }) => {
      assert.equal(answer.error, null, `seed ${seed}, ${step}: ${JSON.stringify(answer.error)}`);
      return answer.data as never;
    };
    await appendPieces(
      a.as,
      upload,
      inPieces([new TextEncoder().encode(text)], 1 + random(90)),
      0,
      unwrap,
    );
    const done = await commitUpload(a.as, upload, unwrap);
    const told_of = `seed ${seed}, round ${round}`;
    assert.equal(done.status, "completed", told_of);
    assert.equal(done.detected, done.row_total, told_of);
    assert.equal(
      done.inserted + done.merged + done.skipped + done.suppressed + done.failed,
      done.detected,
      told_of,
    );
    await sql(async (db) => {
      const [found] = await db`
        select (select count(*) from public.leads where upload_id = ${upload} and contact_status <> 'REMOVED')::integer as inserted,
          (select count(*) from public.upload_rows where upload_id = ${upload})::integer as kept,
          (select count(distinct row_number) from public.upload_errors where upload_id = ${upload})::integer as failed`;
      assert.deepEqual(
        [found!.inserted, found!.kept, found!.failed],
        [done.inserted, done.merged + done.skipped + done.suppressed, done.failed],
        told_of,
      );
    });
  }
  const wrong = await sql((db) => db`select * from switchboard.verify_counts('public.leads')`);
  assert.equal(wrong.length, 0);
});
