// Files of 1,000 to 1,000,000 rows, 5 % of them dirty and 2 % with a number that the file had before. Each is imported
// through the gateway, then its finished leads are copied into a second dataset by one COPY, so both meet the same
// indexes, keys and triggers. The import's memory is what its backends have of their own (RssAnon), beyond the start.
import { answerOf } from "../../../supabase/functions/_shared/answers.ts";
import {
  appendPieces,
  commitUpload,
  inPieces,
  type Unwrap,
} from "../../../supabase/functions/_shared/uploads.ts";
import { service, setting, sql, type Tenant, tenant as newTenant } from "../../api/_client.ts";
import { postgres } from "../../api/_postgres.ts";

const SIZES = (Deno.env.get("BENCH_ROWS") ?? "1000 10000 100000 1000000").split(" ").map(Number);
const LIST = 10_000;

const unwrap: Unwrap = (step, answer) => {
  if (answer.error) throw new Error(`${step}: ${answer.error.message}`);
  return answer.data;
};

/** A row of the file; `offset` keeps the numbers of two files apart. */
function cells(row: number, offset: number): string[] {
  const dirty = ["12", "7.7009E+09", "O7700900123", ""];
  const number = offset + (row % 50 === 49 ? row - 7 : row);
  const phone = row % 20 === 3
    ? dirty[Math.floor(row / 20) % 4] ?? ""
    : `074${String(number).padStart(8, "0")}`;
  return [`Jane ${row}`, "Smith", phone, `jane${row}@example.com`, "LS1 1AA", `flat, ${row}`];
}

const HEADER = ["first_name", "last_name", "phone_number", "email", "postcode", "Roof"];
const line = (row: string[]) => row.map((c) => c.includes(",") ? `"${c}"` : c).join(",") + "\n";

async function* file(rows: number, offset: number): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(line(HEADER));
  for (let from = 0; from < rows; from += 5_000) {
    const lines = Array.from(
      { length: Math.min(5_000, rows - from) },
      (_, i) => line(cells(from + i, offset)),
    );
    yield await Promise.resolve(encoder.encode(lines.join("")));
  }
}

/** kB that the API's backends have of their own, by process. */
async function memory(): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  const db = postgres(setting("ADMIN_DATABASE_URL"), { max: 1, onnotice: () => {} });
  const rows = await db<{ pid: number; status: string | null }[]>`
    select pid, pg_read_file('/proc/' || pid || '/status', 0, 8192, true) as status
    from pg_stat_activity where usename = 'authenticator'`;
  await db.end();
  for (const { pid, status } of rows) {
    found.set(pid, Number(/RssAnon:\s+(\d+)/.exec(status ?? "")?.[1] ?? 0));
  }
  return found;
}

async function dataset(tenant: Tenant, name: string): Promise<string> {
  const made = await tenant.as.from("datasets").insert({ name }).select("id").single()
    .throwOnError();
  return made.data.id;
}

async function imported(tenant: Tenant, target: string, rows: number, offset: number) {
  const before = await memory();
  let peak = 0;
  const look = async () => {
    for (const [pid, kB] of await memory()) peak = Math.max(peak, kB - (before.get(pid) ?? kB));
  };
  const started = performance.now();
  const created = answerOf(
    "create_upload",
    unwrap(
      "create",
      await tenant.as.rpc("create_upload", {
        dataset_id: target,
        filename: "bench.csv",
        options: { required_fields: [] },
      }),
    ),
  );
  await appendPieces(tenant.as, created.upload_id, inPieces(file(rows, offset)), 0, unwrap);
  const sent = performance.now();
  const preview = answerOf(
    "preview_upload",
    unwrap("preview", await tenant.as.rpc("preview_upload", { upload_id: created.upload_id })),
  );
  const previewed = performance.now();
  await look();
  const watching = setInterval(look, 500);
  const done = await commitUpload(tenant.as, created.upload_id, unwrap);
  const ended = performance.now();
  clearInterval(watching);
  await look();
  if (done.detected !== rows || preview.row_total !== rows) throw new Error("rows are missing");
  return { whole: ended - started, preview: previewed - sent, peak, done };
}

/** One COPY of the leads of a dataset into another, without what the trigger and the import write. */
async function copied(from: string, to: string): Promise<number> {
  const db = postgres(setting("ADMIN_DATABASE_URL"), { max: 1, onnotice: () => {} });
  const columns = "organization_id, id, dataset_id, first_name, last_name, phone_number, " +
    "phone_input, email, postcode, attributes, dup_seq, row_number";
  const chosen = columns.replace(" id,", " gen_random_uuid(),").replace(
    " dataset_id,",
    ` '${to}',`,
  );
  // In the server's own folder: what is measured is the COPY, not how a client feeds it.
  const file = `bench_${to}.copy`;
  await db.unsafe(
    `copy (select ${chosen} from public.leads where dataset_id = '${from}') to program 'cat > ${file}'`,
  );
  const started = performance.now();
  await db.unsafe(`copy public.leads (${columns}) from program 'cat ${file}'`);
  const ended = performance.now();
  await db.unsafe(`copy (select 1) to program 'rm ${file}'`);
  await db.end();
  return ended - started;
}

async function listed(
  tenant: Tenant,
  target: string,
  rows: number,
  offset: number,
): Promise<number> {
  const started = performance.now();
  for (let from = 0; from < rows; from += LIST) {
    const list = Array.from({ length: Math.min(LIST, rows - from) }, (_, i) => {
      const values = cells(from + i, offset);
      return Object.fromEntries(HEADER.map((column, place) => [column, values[place] ?? ""]));
    });
    await tenant.as.rpc("import_leads", {
      dataset_id: target,
      rows: list,
      options: { required_fields: [] },
    }).throwOnError();
  }
  return performance.now() - started;
}

const seconds = (ms: number) => (ms / 1000).toFixed(2).padStart(8);
console.log(
  "s for a file            import    µs a row      COPY   import/COPY  import_leads   preview   memory",
);
for (const rows of SIZES) {
  const tenant = await newTenant();
  await service().from("organizations").update({ plan: "enterprise" }).eq("id", tenant.id)
    .throwOnError();
  const [a, b] = [await dataset(tenant, "import"), await dataset(tenant, "copy")];
  const run = await imported(tenant, a, rows, 0);
  const copy = await copied(a, b);
  const list = rows <= 100_000
    ? await listed(tenant, await dataset(tenant, "list"), rows, 50_000_000)
    : undefined;
  console.log(
    `${rows.toLocaleString("en").padStart(9)} rows  ${seconds(run.whole)}  ${
      (run.whole * 1000 / rows).toFixed(0).padStart(10)
    }  ${seconds(copy)}  ${(run.whole / copy).toFixed(2).padStart(10)}×  ${
      list === undefined ? "       -" : seconds(list)
    }      ${seconds(run.preview)}  ${(run.peak / 1024).toFixed(0).padStart(4)} MB`,
  );
  await sql((db) => db`delete from public.organizations where id = ${tenant.id}`);
}
