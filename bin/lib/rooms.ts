/**
 * The rules about where SQL stands: sql/schema/schema.sql names every file once; table x is made in x.sql, and only that
 * file alters it, but for foreign keys in circles.sql; a file has at most 350 lines and a function at most 120 in its
 * body, unless a comment "-- Long: …" in the file says why. sql/extension names nothing of public and private. Prints
 * what breaks a rule.
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
const lines = (text: string) => text.split("\n").length;

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
for (const line of withoutComments(contents).split("\n")) {
  if (line.trim() && !/^\\ir \S+$/.test(line)) {
    problems.push(`schema.sql: "${line}" is no contents`);
  }
}

// What speaks of a table, by its name at the end. Quoted names are read without their quotes.
const OF_A_TABLE = [
  /\balter table (?:if exists |only )*(?<table>\w+\.\w+)/gi,
  /\bcreate (?:unique )?index (?:concurrently )?(?:if not exists )?(?:\w+ )?on (?:only )?(?<table>\w+\.\w+)/gi,
  /\bcreate (?:or replace )?(?:constraint )?trigger \w+ [^;]*? on (?<table>\w+\.\w+)/gi,
  /\b(?:create|alter|drop) policy (?:if exists )?\w+ on (?<table>\w+\.\w+)/gi,
  /\bdrop trigger (?:if exists )?\w+ on (?<table>\w+\.\w+)/gi,
  /\bcomment on (?:table|column) (?<table>\w+\.\w+)/gi,
  /\bcomment on (?:constraint|policy|trigger) \w+ on (?<table>\w+\.\w+)/gi,
  /\binsert into (?<table>\w+\.\w+)/gi,
  /\bselect private\.\w+\( ?(?:target => |child => )?'(?<table>\w+\.\w+)'/gi,
];
// A grant names several.
const GRANT =
  /\b(?:grant|revoke) (?!execute|usage)[^;]*? on (?:table )?(?<tables>\w+\.\w+(?: ?, ?\w+\.\w+)*) (?:to|from) /gi;

for (const path of found) {
  const text = Deno.readTextFileSync(path);
  const name = path.replace(/^.*\/|\.sql$/g, "");
  const excused = /^-- Long: /m.test(text);
  if (lines(text) - 1 > MAX_FILE && !excused) {
    problems.push(`${path}: ${lines(text) - 1} lines; ${MAX_FILE} are the limit`);
  }
  const body =
    /^create (?:or replace )?function (\S+?)\([\s\S]*?(?:(\$\w*\$)([\s\S]*?)\2;|begin atomic([\s\S]*?)\nend;)/gim;
  for (const [, fn, , quoted, atomic] of text.matchAll(body)) {
    const length = lines((quoted ?? atomic ?? "").trim());
    if (length > MAX_BODY && !excused) {
      problems.push(`${path}: the body of ${fn} has ${length} lines; ${MAX_BODY} are the limit`);
    }
  }
  // A function's body is SQL that runs later; that of DO runs here.
  const sql = withoutComments(text)
    .replace(/(?<!\bdo )(\$\w*\$)[\s\S]*?\1/gi, "")
    .replace(/\bbegin atomic[\s\S]*?\nend;/gi, "")
    .replaceAll('"', "").replace(/\s+/g, " ");
  for (
    const [, table = ""] of sql.matchAll(
      /\bcreate (?:unlogged )?table (?:if not exists )?\w+\.(\w+)/gi,
    )
  ) {
    if (table !== name) problems.push(`${path}: ${table} is made in ${table}.sql`);
  }
  const spoken = [
    ...OF_A_TABLE.flatMap((pattern) => [...sql.matchAll(pattern)]),
    ...sql.matchAll(GRANT),
  ];
  for (const { 0: statement, groups, index } of spoken) {
    for (const each of (groups?.table ?? groups?.tables ?? "").split(/ ?, ?/)) {
      const [schema, table] = each.split(".");
      if (!["public", "private"].includes(schema ?? "") || table === name) continue;
      const whole = sql.slice(index, sql.indexOf(";", index));
      const closesCircle = name === "circles" && /^alter table \S+ add constraint /i.test(whole) &&
        !/ add constraint (?!\w+ foreign key)| (?:drop|disable|enable|alter column|add column)\b/i
          .test(whole);
      if (!closesCircle) {
        problems.push(`${path}: "${statement.trim().slice(0, 60)}…" belongs into ${table}.sql`);
      }
    }
  }
}

for (const path of sqlFiles("sql/extension")) {
  withoutComments(Deno.readTextFileSync(path)).split("\n").forEach((line, index) => {
    const named = /\b(public|private)\.\w+/i.exec(line.replaceAll('"', ""));
    if (named && !line.startsWith("comment on")) {
      problems.push(`${path}:${index + 1}: the extension names ${named[0]}, which is above it`);
    }
  });
}

for (const problem of problems) console.log(problem);
Deno.exit(problems.length ? 1 : 0);
