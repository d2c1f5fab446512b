// One list of attacks against the requirement documents' SQL and against ours. What the documents let happen is written
// down in _expected.json, attack by attack, so a list that has gone blind fails as loudly as a schema that leaks.
import assert from "node:assert/strict";
import { postgres } from "../api/_postgres.ts";
import { type Actor, type Attack, attacks, type Catalogue, type Outcome } from "./_attacks.ts";
import { documents, id, ours, readOurTables, type World } from "./_worlds.ts";
import expected from "./_expected.json" with { type: "json" };

const root = new URL("../../", import.meta.url);
const base = Deno.env.get("DATABASE_URL");
if (!base) throw new Error("DATABASE_URL is not set: run these tests with bin/test attack");

/** A connection to a database of the test cluster, as the role that PostgREST uses or as another. */
function connect(database: string, user = "authenticator"): postgres.Sql {
  const url = new URL(base!);
  url.username = user;
  url.pathname = `/${database}`;
  return postgres(url.href, { max: 1, onnotice: () => {}, prepare: false, fetch_types: false });
}

/** Role, user and organization of an actor, set for one transaction as PostgREST sets them. */
function request(actor: Actor): string[] {
  if (actor === "postgres") return [];
  if (actor === "anon") {
    return [
      `select set_config('role', 'anon', true), set_config('request.jwt.claims', '{"role": "anon"}', true),
         set_config('request.headers', '{}', true)`,
    ];
  }
  const people = { owner: "a.owner", viewer: "a.viewer", both: "m.both", stranger: "n.nobody" };
  const claims = { sub: id(people[actor]), role: "authenticated", aud: "authenticated" };
  const headers = actor === "both" ? { "x-organization-id": id("c") } : {};
  return [
    `select set_config('request.jwt.claims', '${JSON.stringify(claims)}', true),
       set_config('request.headers', '${JSON.stringify(headers)}', true),
       set_config('role', 'authenticated', true)`,
  ];
}

/** What the last of some statements answers in a transaction that is rolled back. */
async function attempt(db: postgres.Sql, actor: Actor, statements: string[]): Promise<Outcome> {
  const outcome: Outcome = { rows: [], count: 0, code: null };
  const undone = new Error("undone");
  try {
    await db.begin(async (tx) => {
      for (const text of [...request(actor), ...statements]) {
        const result = await tx.unsafe(text);
        outcome.rows = [...result];
        outcome.count = result.count ?? 0;
      }
      throw undone;
    });
  } catch (error) {
    if (error === undone) return outcome;
    if (!(error instanceof postgres.PostgresError)) throw error;
    return { rows: [], count: 0, code: error.code };
  }
  return outcome;
}

async function readCatalogue(db: postgres.Sql, world: World): Promise<Catalogue> {
  const names = world.tables.map(({ name }) => name);
  const tenantOf = Object.fromEntries(world.tables.map(({ name, tenant }) => [name, tenant]));
  const keys = await db<{ child: string; column: string; parent: string; key: string }[]>`
    select k.conrelid::regclass::text as child, c.attname::text as column, k.confrelid::regclass::text as parent,
      p.attname::text as key
    from pg_constraint k
    join pg_attribute c on c.attrelid = k.conrelid and c.attnum = k.conkey[cardinality(k.conkey)]
    join pg_attribute p on p.attrelid = k.confrelid and p.attnum = k.confkey[cardinality(k.confkey)]
    where k.contype = 'f' and k.connamespace = 'public'::regnamespace
    order by 1, 2`;
  const references: Catalogue["references"] = [];
  for (const { child, column, parent, key } of keys) {
    const tenant = tenantOf[child];
    if (!tenant || column === tenant || column === "organization_id") continue;
    let foreign: string | undefined;
    if (column === "assigned_to") foreign = id("b.owner");
    else if (names.includes(parent)) {
      const rows = await db.unsafe(
        `select ${key} as key from ${parent} where ${tenantOf[parent]} = '${id("b")}' limit 1`,
      );
      foreign = rows[0]?.key;
      assert.ok(foreign, `${world.name}: tenant b has no row in ${parent}`);
    }
    if (foreign) references.push({ child, tenant, column, foreign });
  }
  const functions = await db<{ name: string; arguments: string; takes_text: boolean }[]>`
    select p.oid::regproc::text as name,
      coalesce((select string_agg(format('null::%s', format_type(t, null)), ', ') from unnest(p.proargtypes::oid[]) as t), '')
        as arguments,
      p.pronargs = 1 and p.proargtypes[0] = 'text'::regtype and (
        has_function_privilege('anon', p.oid, 'execute') or has_function_privilege('authenticated', p.oid, 'execute')
      ) as takes_text
    from pg_proc p
    where p.pronamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'switchboard'))
      and p.prorettype <> 'trigger'::regtype
      and (${
    world === ours
  } or not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e'))
    order by 1`;
  const values = await db<{ table: string; column: string; type: "text" | "jsonb" }[]>`
    select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and a.atttypid in ('text'::regtype, 'jsonb'::regtype)
    order by 1, 2`;
  const ids: Catalogue["ids"] = {};
  for (const { name, tenant } of world.tables) {
    const [found] = await db.unsafe<{ a: string; b: string }[]>(`
      select (select id from ${name} where ${tenant} = '${id("a")}' limit 1) as a,
        (select id from ${name} where ${tenant} = '${id("b")}' limit 1) as b`).catch((error) => {
      // A table without an id, such as one of pairs.
      if (error.code === "42703") return [];
      throw error;
    });
    if (found) ids[name] = found;
  }
  return {
    references,
    values: values.flatMap((one) => {
      const tenant = tenantOf[one.table];
      return tenant ? [{ ...one, tenant }] : [];
    }),
    functions: functions.map((one) => ({
      name: one.name,
      call: `select ${one.name}(${one.arguments})`,
    })),
    takingText: functions.filter((one) => one.takes_text).map((one) => one.name),
    ids,
  };
}

const title = (attack: Attack) => `${attack.id} ${attack.by}: ${attack.title}`;

/** Every attack on one world: by its title, the subjects on which it worked, and how often it was tried. */
async function assault(world: World): Promise<Map<string, { worked: string[]; tried: number }>> {
  const results = new Map<string, { worked: string[]; tried: number }>();
  const owner = connect(world.database, "postgres");
  const api = connect(world.database);
  try {
    const catalogue = await readCatalogue(owner, world);
    for (const attack of attacks) {
      const worked: string[] = [];
      const tries = attack.tries(world, catalogue);
      for (const { subject, statements } of tries) {
        const outcome = await attempt(
          attack.by === "postgres" ? owner : api,
          attack.by,
          statements,
        );
        if (outcome.code?.startsWith("42") && !["42501", "42P17", "42703"].includes(outcome.code)) {
          // A misspelt statement refuses itself and proves nothing.
          throw new Error(
            `${world.name}, ${title(attack)} ${subject}: ${outcome.code} ${statements.at(-1)}`,
          );
        }
        if (attack.works(outcome, world)) worked.push(subject);
      }
      results.set(title(attack), { worked, tried: tries.length });
    }
  } finally {
    await owner.end();
    await api.end();
  }
  return results;
}

const verdicts = new Map<string, Map<string, { worked: string[]; tried: number }>>();

for (const world of documents) {
  Deno.test(`${world.name}: what its SQL lets happen, attack by attack`, async () => {
    const owner = connect(world.database, "postgres");
    try {
      await owner.unsafe(world.fixture ?? "");
    } finally {
      await owner.end();
    }
    const results = await assault(world);
    verdicts.set(world.name, results);
    const worked = Object.fromEntries(
      [...results].filter(([, { worked }]) => worked.length > 0).map(([name, { worked }]) => [
        name,
        worked,
      ]),
    );
    assert.deepEqual(worked, (expected as Record<string, unknown>)[world.name]);
  });
}

Deno.test("ours: no attack of the list works", async (t) => {
  const owner = connect(ours.database, "postgres");
  try {
    ours.tables = await readOurTables(owner);
  } finally {
    await owner.end();
  }
  assert.ok(ours.tables.length >= 15, "the catalogue of tables is there");
  const results = await assault(ours);
  verdicts.set(ours.name, results);
  for (const [name, { worked, tried }] of results) {
    await t.step(name, () => {
      assert.deepEqual(worked, []);
      assert.ok(tried > 0, "nothing was tried");
    });
  }
});

Deno.test("X1: S4's script in its own order stops at the first policy", async () => {
  const text = await Deno.readTextFile(new URL("tests/requirements/s4.sql", root));
  const pieces = text.split(/^--@ /m).slice(1).map((piece) => ({
    position: Number(piece.slice(0, 2)),
    title: piece.split("\n")[0],
    sql: piece.slice(piece.indexOf("\n")),
  })).sort((one, other) => one.position - other.position);
  assert.equal(pieces.length, 26);
  const db = connect("attack_s4", "postgres");
  const failures: Record<string, string> = {};
  try {
    await db.begin(async (tx) => {
      await tx.unsafe(
        "create schema top_to_bottom; set local search_path = top_to_bottom, extensions",
      );
      for (const { title, sql } of pieces) {
        await tx.savepoint((point) => point.unsafe(sql)).catch((error) => {
          failures[title!] = error.code;
        });
      }
      throw new Error("undone");
    }).catch((error) => assert.equal(error.message, "undone"));
  } finally {
    await db.end();
  }
  assert.equal(failures["02 policies of 1 clients"], "42P01", "users is not there yet");
  assert.equal(failures["03 2 datasets"], "42P01", "campaign_settings is not there yet");
  assert.equal(failures["15 7 prompts"], "42P01", "prompt_templates is not there yet");
  assert.ok(Object.keys(failures).length > 10, "and most of the rest depends on those");
});

Deno.test("the table", () => {
  const cell = (found: { worked: string[]; tried: number } | undefined) =>
    !found || found.tried === 0
      ? "·"
      : found.worked.length > 0
      ? `WORKS ${found.worked.length}/${found.tried}`
      : `refused ${found.tried}`;
  const worlds = [...documents, ours].map(({ name }) => name);
  const lines = [["attack", ...worlds]];
  for (const attack of attacks) {
    lines.push([
      title(attack),
      ...worlds.map((name) => cell(verdicts.get(name)?.get(title(attack)))),
    ]);
  }
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  console.log(
    lines.map((line) => line.map((text, column) => text.padEnd(widths[column]!)).join("  ")).join(
      "\n",
    ),
  );
  const everywhere = attacks.filter((attack) =>
    documents.every(({ name }) => !verdicts.get(name)?.get(title(attack))?.worked.length)
  );
  console.log(
    `${attacks.length} attacks, ${
      attacks.length - everywhere.length
    } of them work on at least one of the documents`,
  );
});
