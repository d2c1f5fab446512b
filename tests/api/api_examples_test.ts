// docs/api.md: every example answers what the page says, in the order of the page. They tell one story, from making an
// organization to deleting it, and it is told twice: by curl in a shell, and by supabase-js.
import assert from "node:assert/strict";
import { anon, client, join, person, service, setting, sql, token } from "./_client.ts";
import type { Person, SupabaseClient } from "./_client.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One example of the page, or one block of SQL. */
interface Example {
  title: string;
  curl: string;
  typescript: string;
  sql: string;
  status: number;
  answer: string;
}

const page = await Deno.readTextFile(new URL("../../docs/api.md", import.meta.url));
const EXAMPLE = new RegExp(
  "^#{2,3} (?<heading>.*)$|" +
    "^```sh\\n(?<curl>curl [\\s\\S]*?)^```\\n\\n^```ts\\n(?<typescript>[\\s\\S]*?)^```\\n\\n" +
    "^Answers (?<status>\\d+)(?::\\n\\n```json\\n(?<answer>[\\s\\S]*?)^```)?|" +
    "^```sql\\n(?<sql>[\\s\\S]*?)^```(?:\\n+```json\\n(?<found>[\\s\\S]*?)^```)?",
  "gm",
);

const examples: Example[] = [];
let heading = "";
for (const { groups } of page.matchAll(EXAMPLE)) {
  if (groups!.heading) {
    heading = groups!.heading;
    continue;
  }
  const { curl = "", typescript = "", sql = "", status, answer, found } = groups!;
  const title = `${heading} ${
    examples.filter((each) => each.title.startsWith(heading)).length + 1
  }`;
  examples.push({
    title,
    curl,
    typescript,
    sql,
    status: Number(status),
    answer: answer ?? found ?? "",
  });
}

/** Values by the names that they have on the page. */
type Values = Record<string, string>;

/** The people of the story, and nothing left of the last one. */
async function begin(): Promise<{ values: Values; colleague: Person }> {
  await sql(async (db) => {
    await db`delete from public.organizations where slug = 'alpha-doors'`;
    await db`delete from private.platform_admins`;
  });
  const [owner, invited, colleague, admin] = [
    await person(),
    await person(),
    await person(),
    await person(),
  ];
  return {
    values: {
      SUPABASE_URL: setting("SUPABASE_URL"),
      SUPABASE_ANON_KEY: setting("SUPABASE_ANON_KEY"),
      SUPABASE_SERVICE_ROLE_KEY: setting("SUPABASE_SERVICE_ROLE_KEY"),
      TOKEN: owner.token,
      USER_ID: owner.id,
      INVITED_TOKEN: invited.token,
      INVITED_ID: invited.id,
      INVITED_EMAIL: invited.email,
      COLLEAGUE_ID: colleague.id,
      ADMIN_TOKEN: await token({ sub: admin.id, email: admin.email, aal: "aal2" }),
      ADMIN_ID: admin.id,
    },
    colleague,
  };
}

/** Compares an answer with the page's: `…` is anything, a `$NAME` not heard of yet is kept in `values`. */
function compare(found: Json, wanted: Json, values: Values, at = "answer"): void {
  if (wanted === "…") {
    assert.ok(found !== null && found !== "", `${at} is ${JSON.stringify(found)}`);
  } else if (typeof wanted === "string" && /^\$[A-Z_]+$/.test(wanted)) {
    const name = wanted.slice(1);
    values[name] ??= String(found);
    assert.equal(found, values[name], at);
  } else if (Array.isArray(wanted)) {
    assert.ok(Array.isArray(found), `${at} is ${JSON.stringify(found)}`);
    const open = wanted.at(-1) === "…";
    const listed = open ? wanted.slice(0, -1) : wanted;
    if (!open) assert.equal(found.length, listed.length, `${at}: ${JSON.stringify(found)}`);
    listed.forEach((each, i) => compare(found[i] ?? null, each, values, `${at}[${i}]`));
  } else if (wanted !== null && typeof wanted === "object") {
    assert.ok(found !== null && typeof found === "object" && !Array.isArray(found), at);
    const { "…": open, ...listed } = wanted;
    const keys = Object.keys(listed);
    if (!open) assert.deepEqual(Object.keys(found).toSorted(), keys.toSorted(), at);
    for (const key of keys) {
      assert.ok(key in found, `${at}.${key} is missing: ${JSON.stringify(found)}`);
      compare(found[key]!, listed[key]!, values, `${at}.${key}`);
    }
  } else {
    assert.deepEqual(found, wanted, at);
  }
}

/** The page's JSON, in which a bare `…` ends an object or a list that may have more. */
const parse = (text: string) =>
  JSON.parse(
    text.replace(/(?<!")…(?=\s*\})/g, '"…": true').replace(/(?<!")…(?=\s*\])/g, '"…"'),
  ) as Json;

async function byCurl({ curl }: Example, values: Values): Promise<{ status: number; body: Json }> {
  const script =
    `curl() { command curl --silent --show-error --write-out '\\n%{http_code}' "$@"; }\n${curl}`;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euc", script],
    env: { ...values, PATH: setting("PATH") },
    clearEnv: true,
  }).output();
  const output = new TextDecoder().decode(stdout);
  const [, body, status] = output.match(/^([\s\S]*)\n(\d{3})$/) ?? [];
  assert.ok(status, new TextDecoder().decode(stderr));
  return { status: Number(status), body: body ? JSON.parse(body) : null };
}

const camel = (name: string) => name.toLowerCase().replace(/_(.)/g, (_, c) => c.toUpperCase());

/** The clients that the page speaks of, with the header that the same example's curl sends. */
function clients({ curl }: Example, values: Values): Record<string, SupabaseClient> {
  const organization = curl.includes("x-organization-id") ? values.ORGANIZATION_ID : undefined;
  const as = (name: string) => client({ id: "", email: "", token: values[name]! }, organization);
  return {
    supabase: as("TOKEN"),
    invited: as("INVITED_TOKEN"),
    admin: as("ADMIN_TOKEN"),
    service: service(),
    anon: anon(),
  };
}

async function bySupabase(
  example: Example,
  values: Values,
): Promise<{ status: number; body: Json }> {
  const known = Object.entries(values).map(([name, value]) => [camel(name), value]);
  const scope = { ...Object.fromEntries(known), ...clients(example, values) };
  const text = example.typescript.replace("{ data, error }", "{ data, error, status }");
  const run = new Function(
    ...Object.keys(scope),
    `return (async () => { ${text}\nreturn { status, body: error ?? data }; })()`,
  );
  return await run(...Object.values(scope));
}

/** The blocks of SQL of one part of the page, in a transaction that is rolled back. */
async function bySql(blocks: Example[], values: Values): Promise<void> {
  const undo = new Error("undo");
  await sql((db) =>
    db.begin(async (tx) => {
      for (const { sql: text, answer, title } of blocks) {
        const results = await tx.unsafe(text.replace(/\$([A-Z_]+)/g, (_, name) => values[name]!));
        const last = (Array.isArray(results[0]) ? results.at(-1) : results) as Record<
          string,
          Json
        >[];
        if (answer) compare(Object.values(last[0]!)[0]!, parse(answer), values, title);
        await tx`reset role`;
      }
      throw undo;
    })
  ).catch((error) => {
    if (error !== undo) throw error;
  });
}

Deno.test("the page has examples", () => {
  assert.ok(examples.length > 40, `${examples.length}`);
  const blocks = page.match(/^```(sh\ncurl|ts|sql)/gm)!.length;
  const read = examples.reduce((sum, { curl }) => sum + (curl ? 2 : 1), 0);
  assert.equal(read, blocks, "every block is read");
});

for (const [name, ask] of Object.entries({ "curl": byCurl, "supabase-js": bySupabase })) {
  Deno.test(`the examples of docs/api.md by ${name}`, async (t) => {
    const { values, colleague } = await begin();
    for (const example of examples.filter(({ curl }) => curl)) {
      const passed = await t.step(example.title, async () => {
        const { status, body } = await ask(example, values);
        assert.equal(status, example.status, JSON.stringify(body));
        compare(body, example.answer ? parse(example.answer) : null, values);
      });
      // The rest builds on it.
      if (!passed) return;
      if (example.title === "create_organization 1") {
        const made = { id: values.ORGANIZATION_ID!, slug: "", owner: colleague, as: anon() };
        await join(made, colleague, "viewer");
        await t.step(
          "custom_access_token_hook",
          () => bySql(examples.filter(({ sql: text }) => text.includes("_hook(")), values),
        );
      }
    }
  });
}

Deno.test("the SQL examples of docs/api.md", () =>
  bySql(examples.filter(({ sql: text }) => text && !text.includes("_hook(")), {}));
