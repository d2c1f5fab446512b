/**
 * Prints what psql shows of the native functions: `comment on function` from the Rust doc comment of each #[pg_extern]
 * and #[pg_trigger] function. The first paragraph is the comment, the section "# Errors" its "Raises …". Fails for a
 * function without one and for a comment over 400 characters.
 */
const MAX_COMMENT = 400;
const comments = new Map<string, string>();
const problems: string[] = [];

function* rustFiles(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (path === "src/core") continue;
    if (entry.isDirectory) yield* rustFiles(path);
    else if (entry.name.endsWith(".rs")) yield path;
  }
}

// Markup that says nothing in a catalogue: code, and links to other items.
const plain = (text: string) =>
  text.replace(/\[([^\]\[]+)\]\([^)]*\)/g, "$1").replace(/\[(`[^`]+`)\]/g, "$1").replace(/`/g, "");

const FUNCTION =
  /((?:^\/\/\/.*\n)*)^#\[(?:pg_extern|pg_trigger)\b[^\n]*\n(?:^[#/ ].*\n)*?^fn (\w+)/gm;

for (const path of [...rustFiles("src")].sort()) {
  for (const [, doc = "", name = ""] of Deno.readTextFileSync(path).matchAll(FUNCTION)) {
    const paragraphs = doc.replace(/^\/\/\/ ?/gm, "").trim().split(/\n\s*\n/);
    const unwrapped = (text: string) => plain(text).split("\n").join(" ");
    const errors = paragraphs.find((each) => each.startsWith("# Errors\n"));
    const comment = unwrapped(paragraphs[0] ?? "") +
      (errors ? ` Raises ${unwrapped(errors.slice("# Errors\n".length))}` : "");
    if (!doc) problems.push(`${path}: ${name} has no doc comment`);
    if (comment.length > MAX_COMMENT) {
      problems.push(
        `${path}: the comment of ${name} has ${comment.length} characters; ${MAX_COMMENT} are the limit`,
      );
    }
    comments.set(name, comment);
  }
}

for (const [name, comment] of [...comments].sort()) {
  console.log(`comment on function switchboard.${name} is '${comment.replaceAll("'", "''")}';`);
}
for (const problem of problems) console.error(problem);
Deno.exit(problems.length ? 1 : 0);
