// import_leads: every row is accounted for, and a dirty row costs only itself.
import assert from "node:assert/strict";
import {
  anon,
  client,
  member,
  nothing,
  ok,
  refused,
  service,
  sql,
  tenant,
  told,
} from "./_client.ts";
import type { ImportReport } from "../../supabase/functions/_shared/answers.ts";
import type { Json, SupabaseClient } from "./_client.ts";

/** A lead whose number is in Ofcom's fictional mobile range 07700 900000 to 900999. */
const lead = (n: number, more: Record<string, unknown> = {}) => ({
  first_name: `Lead ${String(n).padStart(3, "0")}`,
  phone_number: `07700 900${String(n).padStart(3, "0")}`,
  ...more,
});

async function dataset(as: SupabaseClient, more: Record<string, unknown> = {}): Promise<string> {
  const row = { name: `List ${crypto.randomUUID()}`, ...more };
  return ok(await as.from("datasets").insert(row).select("id").single()).id;
}

async function run(
  as: SupabaseClient,
  dataset_id: string,
  rows: Json,
  options: Record<string, Json> = {},
): Promise<ImportReport> {
  const report = told(
    "import_leads",
    await as.rpc("import_leads", { dataset_id, rows, options }),
  );
  const { detected, inserted, merged, skipped, suppressed, failed } = report;
  assert.equal(detected, inserted + merged + skipped + suppressed + failed, "counts do not add up");
  return report;
}

const counts = ({ detected, inserted, merged, skipped, suppressed, failed }: ImportReport) => ({
  detected,
  inserted,
  merged,
  skipped,
  suppressed,
  failed,
});

Deno.test("rows become leads in E.164, and the dataset and the upload count them", async () => {
  const { as } = await tenant();
  const id = await dataset(as);
  const report = await run(as, id, [
    lead(1, { last_name: "One", email: "lead001@leads.example", inquiry_date: "31/01/2025" }),
    lead(2, { phone_number: "+44 (0)7700 900 002", "Roof type": "slate" }),
    lead(3, { phone_number: "020 7946 0003", inquiry_date: "2025-02-28" }),
  ], { filename: "three.csv" });
  assert.deepEqual(
    counts(report),
    { detected: 3, inserted: 3, merged: 0, skipped: 0, suppressed: 0, failed: 0 },
  );

  const leads = await as.from("leads")
    .select("first_name,phone_number,phone_input,inquiry_date,attributes,contact_status,row_number")
    .eq("dataset_id", id).order("row_number");
  assert.deepEqual(leads.data?.map((row) => row.phone_number), [
    "+447700900001",
    "+447700900002",
    "+442079460003",
  ]);
  assert.deepEqual(leads.data?.[1], {
    first_name: "Lead 002",
    phone_number: "+447700900002",
    phone_input: "+44 (0)7700 900 002",
    inquiry_date: null,
    attributes: { "Roof type": "slate" },
    contact_status: "READY",
    row_number: 2,
  });
  assert.equal(leads.data?.[0]?.inquiry_date, "2025-01-31");

  const { data } = await as.from("datasets").select("total_leads,active_leads").eq("id", id)
    .single();
  assert.deepEqual(data, { total_leads: 3, active_leads: 3 });
  const upload = await as.from("uploads").select("filename,status,rows_detected,rows_inserted")
    .eq("id", report.upload_id).single();
  assert.deepEqual(
    upload.data,
    { filename: "three.csv", status: "completed", rows_detected: 3, rows_inserted: 3 },
  );
});

Deno.test("dirty rows fail alone, by row, column, value and reason", async () => {
  const { as } = await tenant();
  const report = await run(as, await dataset(as), [
    lead(1),
    lead(2, { phone_number: "" }),
    lead(3, { phone_number: "7.7009E+09" }),
    lead(4, { phone_number: "07700900123/07911123456" }),
    lead(5, { phone_number: "O7700900123" }),
    lead(6, { phone_number: "+1 202 555 0106" }),
    lead(7, { email: "not an address" }),
    lead(8, { inquiry_date: "31/02/2025" }),
    lead(9, { first_name: "   " }),
    "not an object",
    lead(11),
  ]);
  assert.deepEqual(
    counts(report),
    { detected: 11, inserted: 2, merged: 0, skipped: 0, suppressed: 0, failed: 9 },
  );
  assert.deepEqual(
    report.errors.map(({ row, column, reason }) => [row, column, reason]),
    [
      [2, "phone_number", "required"],
      [3, "phone_number", "excel_scientific"],
      [4, "phone_number", "multiple_numbers"],
      [5, "phone_number", "letters"],
      [6, "phone_number", "international_not_allowed"],
      [7, "email", "invalid_email"],
      [8, "inquiry_date", "invalid_date"],
      [9, "first_name", "required"],
      [10, null, "not_an_object"],
    ],
  );
  assert.equal(report.errors[1]?.value, "7.7009E+09");
});

Deno.test("columns are mapped by the call or by the dataset, and errors name the file's column", async () => {
  const { as } = await tenant();
  const mapping = { "First Name": "first_name", "Mobile": "phone_number", "Source": null };
  const rows = [
    { "First Name": "Lead 001", "Mobile": "07700900001", "Source": "fair" },
    { "First Name": "Lead 002", "Mobile": "none" },
  ];
  const byCall = await run(as, await dataset(as), rows, { mapping });
  const byDataset = await run(as, await dataset(as, { column_mapping: mapping }), rows, {
    duplicate_action: "keep_both",
  });
  for (const report of [byCall, byDataset]) {
    assert.deepEqual([report.inserted, report.failed, report.errors[0]?.column], [1, 1, "Mobile"]);
  }
});

Deno.test("duplicates: each action, in file order, against every dataset of the organization", async () => {
  for (
    const [action, expected] of [
      ["flag", { detected: 4, inserted: 4, merged: 0, skipped: 0, suppressed: 0, failed: 0 }],
      ["keep_both", { detected: 4, inserted: 4, merged: 0, skipped: 0, suppressed: 0, failed: 0 }],
      ["skip", { detected: 4, inserted: 2, merged: 0, skipped: 2, suppressed: 0, failed: 0 }],
      ["merge", { detected: 4, inserted: 2, merged: 2, skipped: 0, suppressed: 0, failed: 0 }],
    ] as const
  ) {
    const { as } = await tenant();
    await run(as, await dataset(as), [lead(1, { notes: "first" })]);
    const report = await run(as, await dataset(as), [
      lead(1, { phone_number: "+447700900001", notes: "second", email: "lead001@leads.example" }),
      lead(2),
      lead(2, { phone_number: "447700900002" }),
      lead(3),
    ], { duplicate_action: action });
    assert.deepEqual(counts(report), expected, action);
    assert.deepEqual(report.duplicates.map((one) => one.row), [1, 3], action);
    if (action === "merge") {
      const [merged] = ok(
        await as.from("leads").select("notes,email").eq("phone_number", "+447700900001"),
      );
      assert.deepEqual(merged, { notes: "first\nsecond", email: "lead001@leads.example" });
    }
  }
});

Deno.test("a contact who opted out stays out, whatever the file says", async () => {
  const { as } = await tenant();
  const first = await dataset(as);
  await run(as, first, [lead(1)]);
  ok(await as.from("leads").update({ contact_status: "REMOVED" }).eq("dataset_id", first).select());

  const second = await dataset(as);
  const report = await run(as, second, [lead(1), lead(2)], { duplicate_action: "keep_both" });
  assert.deepEqual([report.suppressed, report.inserted], [1, 1]);
  const { data } = await as.from("leads").select("contact_status").eq("dataset_id", second)
    .eq("phone_number", "+447700900001");
  assert.deepEqual(data, [{ contact_status: "REMOVED" }]);
  refused(
    await as.from("leads").update({ contact_status: "READY" }).eq("dataset_id", first),
    400,
    "23514",
    /contact_status/,
  );
});

Deno.test("international numbers come in when the campaign allows them", async () => {
  const { as } = await tenant();
  const rows = [lead(1, { phone_number: "+1 202 555 0101" }), lead(2)];
  const report = await run(as, await dataset(as), rows, { allow_international: true });
  assert.equal(report.inserted, 2);

  const settings = ok(
    await as.from("campaign_settings").insert({
      name: "Abroad",
      m1_message: "Hello",
      allow_international: true,
      required_fields: ["first_name"],
    }).select("id").single(),
  );
  const abroad = await dataset(as, { campaign_settings_id: settings.id });
  assert.equal((await run(as, abroad, [lead(3, { phone_number: "+12025550103" })])).inserted, 1);
});

Deno.test("a malformed call is refused as a whole", async () => {
  const { as } = await tenant();
  const dataset_id = await dataset(as);
  const call = (more: Record<string, unknown>) =>
    as.rpc("import_leads", { dataset_id, rows: [lead(1)], ...more });
  refused(await call({ rows: { a: 1 } }), 400, "22023", /rows/);
  refused(await call({ options: { duplicate_action: "guess" } }), 400, "22023", /duplicate_action/);
  refused(await call({ options: { colour: "red" } }), 400, "22023", /colour/);
  refused(await call({ options: { allow_international: "yes" } }), 400, "22023", /allow_intern/);
  refused(await call({ options: { mapping: { A: "salary" } } }), 400, "22023", /A/);
  refused(await call({ rows: [{ first_name: "Lead 001" }] }), 400, "22023", /phone_number/);
  refused(await call({ rows: Array(10_001).fill({}) }), 429, "PT429", /too_many_rows/);
  assert.deepEqual(ok(await as.from("leads").select("id")), []);
  assert.deepEqual(ok(await as.from("uploads").select("id")), []);
});

Deno.test("server code can read what failed, a sales_rep selects * of uploads and sees no cell of it", async () => {
  const a = await tenant();
  const dataset_id = await dataset(a.as);
  await run(a.as, dataset_id, [lead(1), lead(2, { phone_number: "7.7009E+09" })]);
  const read = async (as: SupabaseClient) => {
    const row = ok(await as.from("uploads").select("*,upload_errors(*)").single());
    assert.equal(row.rows_failed, 1);
    return row.upload_errors.map(({ row_number, column_name, value, reason }) => [
      row_number,
      column_name,
      value,
      reason,
    ]);
  };
  const failed = [[2, "phone_number", "7.7009E+09", "excel_scientific"]];
  assert.deepEqual(await read(client(await member(a, "viewer"), a.id)), failed);
  assert.deepEqual(await read(client(await member(a, "sales_rep"), a.id)), []);
  const rows = ok(await service().from("upload_errors").select("*").eq("organization_id", a.id));
  assert.deepEqual(rows.map(({ value }) => value), ["7.7009E+09"]);
});

Deno.test("who may import: uploads.write and nobody else", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const dataset_id = await dataset(a.as);
  const call = { dataset_id, rows: [lead(1)] };
  for (const role of ["admin", "manager"] as const) {
    const as = client(await member(a, role), a.id);
    await run(as, dataset_id, [lead(role === "admin" ? 1 : 2)]);
  }
  for (const role of ["sales_rep", "viewer"] as const) {
    const as = client(await member(a, role), a.id);
    refused(await as.rpc("import_leads", call), 403, "PT403");
  }
  refused(await b.as.rpc("import_leads", call), 404, "PT404", /dataset_not_found/);
  refused(await anon().rpc("import_leads", call), 401, "42501");
  refused(await service().rpc("import_leads", call), 403, "42501");
  assert.equal(ok(await a.as.from("leads").select("id")).length, 2);
});

Deno.test("a sales_rep sees and writes only the leads assigned to them", async () => {
  const a = await tenant();
  const dataset_id = await dataset(a.as);
  await run(a.as, dataset_id, [lead(1), lead(2)]);
  const rep = await member(a, "sales_rep");
  const as = client(rep, a.id);
  nothing(await as.from("leads").select("id"));

  const leads = a.as.from("leads");
  const mine = ok(
    await leads.update({ assigned_to: rep.id }).eq("phone_number", "+447700900001").select("id"),
  );
  assert.deepEqual(ok(await as.from("leads").select("id")), mine);
  const warm = { contact_status: "WARM" };
  assert.equal(
    ok(await as.from("leads").update(warm).eq("dataset_id", dataset_id).select()).length,
    1,
  );
  nothing(await as.from("leads").delete().eq("dataset_id", dataset_id).select("id"));
  // Giving the lead away would put it out of sight, so it is not theirs to give.
  refused(
    await as.from("leads").update({ assigned_to: a.owner.id }).eq("dataset_id", dataset_id),
    403,
    "42501",
  );
});

Deno.test("a lead cannot be assigned to somebody outside the organization", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const dataset_id = await dataset(a.as);
  await run(a.as, dataset_id, [lead(1)]);
  refused(
    await a.as.from("leads").update({ assigned_to: b.owner.id }).eq("dataset_id", dataset_id),
    409,
    "23503",
  );
  const theirs = await dataset(b.as);
  refused(
    await a.as.from("leads").update({ dataset_id: theirs }).eq("dataset_id", dataset_id),
    409,
    "23503",
  );
  const rows = await sql((db) => db`select 1 from public.leads where dataset_id = ${theirs}`);
  assert.equal(rows.length, 0);
});
