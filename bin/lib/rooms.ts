/**
 * The rules about where SQL stands: sql/schema/schema.sql names every file once; table x is made in x.sql, and only that
 * file and circles.sql alter it; a file has at most 350 lines and a function's body at most 120, unless a comment
 * "-- Long: …" in the file says why. sql/extension names nothing of public and private. Prints what breaks a rule.
 */
const MAX_FILE = 350;
const MAX_BODY = 120;
const root = "sql/schema";
const problems: string[] = [];

function* sqlFiles(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sqlFiles(path);
    else if (entry.name.endsWith(".sql")) yield path;
  }
}

const withoutComments = (sql: string) => sql.replace(/^\s*--.*$/gm, "");
const lines = (text: string) => text.split("\n").length - 1;

const contents = Deno.readTextFileSync(`${root}/schema.sql`);
const listed = [...contents.matchAll(/^\\ir (\S+)$/gm)].map(([, path]) => `${root}/${path}`);
const found = [...sqlFiles(root)].filter((path) => path !== `${root}/schema.sql`).sort();
for (const path of found) {
  const times = listed.filter((each) => each === path).length;
  if (times !== 1) problems.push(`${path}: stands ${times} times in schema.sql`);
}
for (const path of listed.filter((path) => !found.includes(path))) {
  problems.push(`schema.sql: there is no ${path}`);
}

// What belongs into the file of its table.
const OF_A_TABLE = [
  /\balter table (?:only )?(\w+)\.(\w+)/g,
  /\bcreate (?:unique )?index \w+\s+on (\w+)\.(\w+)/g,
  /\bcreate (?:constraint )?trigger \w+[^;]*?\son (\w+)\.(\w+)/g,
  /\b(?:create|alter) policy \w+ on (\w+)\.(\w+)/g,
  /\bcomment on (?:table|column) (\w+)\.(\w+)/g,
  /^grant [^;]*?\bon (?:table )?(\w+)\.(\w+)[^;(]*? to /gm,
  /^select private\.\w+\(\s*'(public|private)\.(\w+)'/gm,
];

for (const path of found) {
  const text = Deno.readTextFileSync(path);
  const name = path.replace(/^.*\/|\.sql$/g, "");
  const excused = /^-- Long: /m.test(text);
  if (lines(text) > MAX_FILE && !excused) {
    problems.push(`${path}: ${lines(text)} lines; ${MAX_FILE} are the limit`);
  }
  for (
    const [, fn, body = ""] of text.matchAll(
      /^create function (\S+?)\([\s\S]*?\$\$\n([\s\S]*?)\n\$\$;$/gm,
    )
  ) {
    if (lines(body) > MAX_BODY && !excused) {
      problems.push(
        `${path}: the body of ${fn} has ${lines(body)} lines; ${MAX_BODY} are the limit`,
      );
    }
  }
  // Bodies hold SQL of their own, which runs later.
  const sql = withoutComments(text).replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "$$$$");
  for (const [, schema, table] of sql.matchAll(/^create table (\w+)\.(\w+)/gm)) {
    if (table !== name) problems.push(`${path}: ${schema}.${table} is made in ${table}.sql`);
  }
  for (const pattern of OF_A_TABLE) {
    for (const [statement, schema = "", table] of sql.matchAll(pattern)) {
      const elsewhere = !["public", "private"].includes(schema) || table === name;
      const closesCircle = name === "circles" && /^alter table/.test(statement.trim());
      if (!elsewhere && !closesCircle) {
        problems.push(`${path}: "${statement.trim().slice(0, 60)}…" belongs into ${table}.sql`);
      }
    }
  }
}

for (const path of sqlFiles("sql/extension")) {
  withoutComments(Deno.readTextFileSync(path)).split("\n").forEach((line, index) => {
    const named = /\b(public|private)\.\w+/.exec(line);
    if (named && !line.startsWith("comment on")) {
      problems.push(`${path}:${index + 1}: the extension names ${named[0]}, which is above it`);
    }
  });
}

for (const problem of problems) console.log(problem);
Deno.exit(problems.length ? 1 : 0);
