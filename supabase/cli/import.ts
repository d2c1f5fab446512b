/**
 * `bin/import`: a file of leads into a dataset, over the same RPCs as everybody's. Shows what would happen,
 * asks, and shows how far it is. The same command again goes on where it stopped.
 */
import { parseArgs } from "node:util";
import { answerOf, type UploadPreview, type UploadProgress } from "../functions/_shared/answers.ts";
import { createClient, type Json, type SupabaseClient } from "../functions/_shared/supabase.ts";
import { appendPieces, commitUpload, inPieces, PIECE_BYTES } from "../functions/_shared/uploads.ts";
import type { Unwrap } from "../functions/_shared/uploads.ts";
import { Progress } from "./progress.ts";

/** Something that the person at the keyboard can mend. */
class Stop extends Error {}

const unwrap: Unwrap = (_step, answer) => {
  if (!answer.error) return answer.data;
  const { message, details, hint } = answer.error as {
    message: string;
    details?: string;
    hint?: string;
  };
  throw new Stop([message, details, hint].filter(Boolean).join("\n       "));
};

function variable(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Stop(`${name} is not set.`);
  return value;
}

/** The dataset by its name or id. */
async function findDataset(
  client: SupabaseClient,
  dataset: string,
): Promise<{ id: string; name: string }> {
  const isId = /^[0-9a-f-]{36}$/i.test(dataset);
  const { data, error } = await client.from("datasets").select("id,name")
    .eq(isId ? "id" : "name", dataset).maybeSingle();
  if (error) throw new Stop([error.message, error.hint].filter(Boolean).join("\n       "));
  if (data) return data;
  const { data: all } = await client.from("datasets").select("name").order("name").limit(20);
  const names = (all ?? []).map(({ name }) => `"${name}"`).join(", ");
  throw new Stop(
    `There is no dataset ${dataset}.${names ? ` There are ${names}.` : " There is none yet."}`,
  );
}

/** An import of the same file that was not finished, or a new one. */
async function findUpload(
  client: SupabaseClient,
  dataset: string,
  filename: string,
  size: number,
  options: Json,
): Promise<{ id: string; received: number; isOpen: boolean }> {
  const { data } = await client.from("uploads").select("id,status,bytes_received")
    .eq("dataset_id", dataset).eq("filename", filename).eq("file_size", size)
    .in("status", ["pending", "mapping", "processing"])
    .order("created_at", { ascending: false }).limit(1).maybeSingle();
  if (data) {
    console.log(`Going on with the import of ${filename} that was begun before.`);
    return { id: data.id, received: data.bytes_received, isOpen: data.status === "processing" };
  }
  const created = answerOf(
    "create_upload",
    unwrap(
      "create upload",
      await client.rpc("create_upload", {
        dataset_id: dataset,
        filename,
        file_size: size,
        options,
      }),
    ),
  );
  return { id: created.upload_id, received: 0, isOpen: false };
}

async function send(
  client: SupabaseClient,
  id: string,
  path: string,
  received: number,
  size: number,
) {
  if (received >= size) return;
  using file = await Deno.open(path);
  await file.seek(received, Deno.SeekMode.Start);
  const progress = new Progress("sending", "bytes");
  progress.show(received, size);
  await appendPieces(
    client,
    id,
    inPieces(file.readable),
    Math.floor(received / PIECE_BYTES),
    unwrap,
    (bytes) => progress.show(bytes, size),
  );
}

function showPreview(preview: UploadPreview, dataset: string): void {
  const { mapping = {}, counts, header } = preview;
  console.log(
    `\n${preview.row_total} rows, ${preview.encoding}, separated by ${
      JSON.stringify(preview.delimiter)
    }, into "${dataset}"\n`,
  );
  const width = Math.max(6, ...header.map((column) => column.length));
  const cells = (column: string) =>
    (preview.sample ?? []).slice(0, 3).map((row) => {
      const field = mapping[column];
      const attributes = row.attributes as Record<string, Json> | null;
      return String((field ? row[field] : attributes?.[column]) ?? "");
    }).filter(Boolean).join(" · ");
  for (const column of header) {
    const field = mapping[column] ?? "(kept as attribute)";
    console.log(`  ${column.padEnd(width)}  →  ${field.padEnd(20)} ${cells(column).slice(0, 70)}`);
  }
  if (preview.missing_columns?.length) {
    throw new Stop(
      `No column of the file is ${
        preview.missing_columns.join(", ")
      }. Say which: --map 'Column=field'.`,
    );
  }
  if (counts) {
    console.log(
      `\nOf the first ${preview.rows_previewed}: ${counts.inserted} new, ${counts.merged} merged, ${counts.skipped} skipped, ` +
        `${counts.suppressed} opted out, ${counts.failed} with errors; ${counts.duplicates} repeat a number.`,
    );
  }
  for (const [reason, rows] of Object.entries(preview.reasons ?? {})) {
    const example = preview.errors?.find((error) => error.reason === reason);
    const shown = example
      ? `  e.g. row ${example.row}, ${example.column ?? "the row"}: ${example.value ?? ""}`
      : "";
    console.log(`  ${String(rows).padStart(7)}  ${reason}${shown.slice(0, 100)}`);
  }
  if (preview.warnings?.includes("no_consent_basis")) {
    console.log("\nNothing in the file says why these people may be written to (consent_basis).");
  }
  if (preview.warnings?.includes("encoding_guessed")) {
    console.log(
      "\nThe file is not UTF-8 and was taken for windows-1252. Look at the accents above.",
    );
  }
}

async function showResult(client: SupabaseClient, result: UploadProgress): Promise<void> {
  const { inserted, merged, skipped, suppressed, failed, detected } = result;
  console.log(
    `\n${detected} rows: ${inserted} inserted, ${merged} merged, ${skipped} skipped, ${suppressed} opted out, ${failed} failed.`,
  );
  if (result.problem === "quota_exceeded") {
    throw new Stop(
      "The plan has no room for more leads. After an upgrade the same command goes on.",
    );
  }
  if (result.problem) throw new Stop(`The import ended: ${result.problem}.`);
  if (failed > 0) {
    const { data } = await client.from("upload_errors").select(
      "row_number,column_name,value,reason",
    )
      .eq("upload_id", result.upload_id).order("row_number").limit(10);
    for (const { row_number, column_name, value, reason } of data ?? []) {
      console.log(`  row ${row_number}  ${column_name ?? ""}  ${JSON.stringify(value)}  ${reason}`);
    }
    if (failed > 10) console.log(`  … all of them: upload_errors?upload_id=eq.${result.upload_id}`);
  }
}

async function main(): Promise<void> {
  const { values, positionals: [path, ...more] } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      dataset: { type: "string" },
      organization: { type: "string" },
      map: { type: "string", multiple: true },
      duplicates: { type: "string" },
      yes: { type: "boolean", default: false },
    },
  });
  if (!path || more.length > 0 || !values.dataset) {
    throw new Stop("Say which file and where to: bin/import leads.csv --dataset 'Spring list'.");
  }
  const { size } = await Deno.stat(path).catch(() => {
    throw new Stop(`There is no file ${path}.`);
  });
  const filename = path.split("/").at(-1) ?? path;
  const client = createClient(variable("SUPABASE_URL"), variable("SUPABASE_ANON_KEY"), {
    accessToken: () => Promise.resolve(variable("SUPABASE_ACCESS_TOKEN")),
    global: { headers: values.organization ? { "x-organization-slug": values.organization } : {} },
  });
  const dataset = await findDataset(client, values.dataset);
  const options = values.duplicates ? { duplicate_action: values.duplicates } : {};
  const upload = await findUpload(client, dataset.id, filename, size, options);
  await send(client, upload.id, path, upload.received, size);

  if (!upload.isOpen) {
    let preview = await previewOf(client, upload.id, null);
    if (preview.problem) {
      throw new Stop(
        `The file cannot be imported: ${preview.problem} (${preview.problem_at ?? ""}).`,
      );
    }
    if (values.map?.length) {
      const mapping = { ...preview.mapping };
      for (const pair of values.map) {
        const [column, field] = [pair.slice(0, pair.lastIndexOf("=")), pair.split("=").at(-1)];
        for (const other of Object.keys(mapping)) {
          if (mapping[other] === field) mapping[other] = null;
        }
        mapping[column] = field || null;
      }
      preview = await previewOf(client, upload.id, mapping);
    }
    showPreview(preview, dataset.name);
    if (!values.yes && !confirm("\nImport them?")) {
      await client.rpc("cancel_upload", { upload_id: upload.id });
      console.log("Nothing was imported.");
      return;
    }
    console.log();
  }
  const progress = new Progress("import", "rows");
  const result = await commitUpload(client, upload.id, unwrap, (at) => {
    progress.show(
      at.detected,
      at.row_total ?? at.detected,
      at.rows_per_second,
      at.seconds_remaining,
    );
  });
  await showResult(client, result);
}

async function previewOf(
  client: SupabaseClient,
  id: string,
  mapping: Json,
): Promise<UploadPreview> {
  const answer = await client.rpc("preview_upload", { upload_id: id, mapping });
  return answerOf("preview_upload", unwrap("preview", answer));
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof TypeError && "code" in error;
  if (!(error instanceof Stop) && !isUsage) throw error;
  console.error(`error: ${(error as Error).message}`);
  Deno.exit(1);
}
