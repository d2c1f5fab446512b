// storm.ts <children table> <seconds>: eight connections write at random until the time is over or the server is gone.
// Each has child rows of its own, and all share twenty parents: whatever locks meet are those of the counters. Prints how
// many statements were done; fails on any error but the loss of the server and, for a table that is not ours, deadlocks.
import { postgres } from "../api/_postgres.ts";

const [table, seconds] = Deno.args as [string, string];
const ours = table === "storm.children";
const until = Date.now() + Number(seconds) * 1000;
const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
console.log(`seed ${seed}`);

/** mulberry32: a statement can be told again by the seed and the connection. */
function randomOf(state: number): (n: number) => number {
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

function statement(random: (n: number) => number, worker: number): string[] {
  const parent = () => random(12) === 0 ? "null" : 1 + random(20);
  const status = () => ["'HOT'", "'COLD'", "null"][random(3)];
  const at = () =>
    random(8) === 0 ? "null" : `timestamp '2026-01-01' + ${random(9999)} * interval '1 minute'`;
  const row = () =>
    `(${worker}, ${parent()}, ${status()}, ${random(4) ? "null" : "now()"}, 'n${
      random(999)
    }', ${at()}, ${random(60)})`;
  const rows = () => Array.from({ length: 1 + random(12) }, row).join(", ");
  const columns = "(worker, parent_id, status, archived_at, note, sent_at, key)";
  const some = `worker = ${worker} and key % ${2 + random(5)} = 0`;
  const insert = `insert into ${table} ${columns} values ${row()} on conflict do nothing`;
  const kinds: (() => string)[] = [
    () => insert,
    () => `insert into ${table} ${columns} values ${rows()} on conflict do nothing`,
    () => `update ${table} set status = ${status()} where ${some}`,
    () => `update ${table} set note = 'm${random(99)}', sent_at = ${at()} where ${some}`,
    () => `update ${table} set key = key where ${some}`,
    () => `update ${table} set parent_id = ${parent()} where ${some}`,
    () =>
      `update ${table} set parent_id = 1 + (coalesce(parent_id, 0) + key) % 20, archived_at = now() where ${some}`,
    () => `delete from ${table} where ${some}`,
    () =>
      `insert into ${table} ${columns} values ${row()}
       on conflict (worker, key) do update set status = excluded.status, parent_id = excluded.parent_id`,
    () =>
      `merge into ${table} c using (values ${row()}) as v ${columns} on c.worker = v.worker and c.key = v.key
       when matched and v.key % 3 = 0 then delete when matched then update set status = v.status, parent_id = v.parent_id::integer
       when not matched then insert ${columns} values (v.worker, v.parent_id::integer, v.status, v.archived_at::timestamptz, v.note, v.sent_at::timestamptz, v.key)`,
  ];
  const one = () => kinds[random(kinds.length)]!();
  switch (random(8)) {
    case 0:
      return ["savepoint s", one(), "rollback to savepoint s", one()];
    case 1:
      return [one(), "rollback"];
    default:
      return [one()];
  }
}

let done = 0;
let deadlocks = 0;

async function work(worker: number): Promise<void> {
  const db = postgres(Deno.env.get("ADMIN_DATABASE_URL")!, {
    max: 1,
    onnotice: () => {},
    fetch_types: false,
  });
  const random = randomOf(seed + worker);
  try {
    while (Date.now() < until) {
      const statements = statement(random, worker);
      try {
        await db.unsafe(`begin; ${statements.join("; ")}; commit`);
        done += 1;
      } catch (error) {
        const code = (error as { code?: string }).code ?? "";
        if (code === "40P01" && !ours) deadlocks += 1;
        // The server is being killed, or is gone.
        else if (/^(57P0|CONNECTION|ECONN|EPIPE|08)/.test(code)) return;
        else throw new Error(`${statements.join("; ")}: ${code} ${(error as Error).message}`);
        await db.unsafe("rollback");
      }
    }
  } finally {
    await db.end({ timeout: 1 }).catch(() => {});
  }
}

await Promise.all(Array.from({ length: 8 }, (_, worker) => work(worker + 1)));
console.log(`${done} transactions, ${deadlocks} deadlocks`);
if (done === 0) throw new Error("nothing was written");
