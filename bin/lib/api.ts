// Prints docs/api.md: the text and the examples of docs/api/, in the order of docs/api/page.md, and under the heading
// of each function what the database says of it (bin/lib/api.sql, on standard input). A heading `## name` is that of a
// function; an `http` block is an example and becomes a curl command and a supabase-js call; the `json` block after it
// is the answer (`json 409`: with that status), or there is none. Every function needs a heading and an example.

interface Described {
  name: string;
  arguments: { name: string; type: string; default: string | null }[];
  returns: string;
  reads_only: boolean;
  callers: string[];
  capabilities: string[];
  comment: string;
}
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const folder = new URL("../../docs/api/", import.meta.url);
const wrong: string[] = [];

/** The HTTP status that PostgREST gives an SQLSTATE; the first prefix that fits. */
const STATUS: [string, number][] = [
  ["23503", 409],
  ["23505", 409],
  ["25006", 405],
  ["42501", 403],
  ["42883", 404],
  ["42P01", 404],
  ["28", 403],
  ["40", 500],
  ["53", 503],
  ["54", 500],
  ["55", 500],
  ["57", 500],
  ["58", 500],
  ["XX", 500],
  ["", 400],
];
const status = (code: string) =>
  code.startsWith("PT") ? Number(code.slice(2)) : STATUS.find(([p]) => code.startsWith(p))![1];

/** What a code means where the comment says no more of it. */
const MEANING: Record<string, string> = {
  PT401: "nobody is signed in",
  PT400: "the request does not say for which organization",
  PT403: "the caller may not",
};

const code = (text: string) => "`" + text + "`";
const CAPABILITY = /\b[a-z0-9_]+\.[a-z_]+\b/g;

/** The part of a comment in front of `Raises`, and the errors behind it. */
function split(comment: string): { says: string; errors: [string, string][] } {
  const at = comment.search(/\bRaises\b/);
  if (at < 0) return { says: comment, errors: [] };
  const raises = comment.slice(at + "Raises".length).trim().replace(/\.$/, "");
  const errors: [string, string][] = [];
  let depth = 0, text = "";
  // Codes inside of brackets explain another code.
  for (const token of raises.split(/(\bPT\d{3}\b|\b[0-9][0-9A-Z]{4}\b|[()])/)) {
    if (depth === 0 && /^(PT\d{3}|[0-9][0-9A-Z]{4})$/.test(token)) {
      errors.push([token, ""]);
      text = "";
      continue;
    }
    if (token === "(") depth++;
    if (token === ")") depth--;
    text += token;
    if (errors.length) errors[errors.length - 1]![1] = text;
  }
  return {
    says: comment.slice(0, at).trim(),
    errors: errors.map(([error, when]) => {
      when = when.trim().replace(/(,|\band)$/, "").trim();
      if (/^\([^()]*\)$/.test(when)) when = when.slice(1, -1);
      when = when.replace(CAPABILITY, (name) => "without " + code(name));
      when = when.replace(/\b[a-z]+(_[a-z]+)+\b/g, (name) => code(name)).replaceAll("``", "`");
      return [error, when || (MEANING[error] ?? "")];
    }),
  };
}

function signature(f: Described): string {
  const plain = (text: string) => text.replace(/::[a-z ]+(\[\])?/g, "").replace(/^NULL$/, "null");
  const list = (open: string, parts: string[]) => {
    const line = `${open}(${parts.join(", ")})`;
    return line.length <= 90 ? line : `${open}(\n    ${parts.join(",\n    ")}\n)`;
  };
  const given = f.arguments.map((a) =>
    `${a.name} ${a.type}${a.default === null ? "" : ` = ${plain(a.default)}`}`
  );
  const columns = f.returns.match(/^TABLE\((.*)\)$/)?.[1];
  const returns = columns ? list("table", columns.split(", ")) : f.returns.toLowerCase();
  return `${list(f.name, given)} → ${returns}`.replaceAll(
    "timestamp with time zone",
    "timestamptz",
  );
}

const CALLERS: Record<string, string> = {
  authenticated: "signed-in users",
  service_role: "the service role",
  supabase_auth_admin: "Supabase Auth",
};

function facts(f: Described): string {
  const { says, errors } = split(f.comment);
  const who = f.callers.map((role) => CALLERS[role] ?? code(role)).join(", ");
  const lines = ["```text", signature(f), "```", "", says, ""];
  const asks = f.capabilities.length ? `, with ${f.capabilities.map(code).join(", ")}` : "";
  lines.push(
    f.name.includes(".")
      ? "Called by the owner of the tables, in a migration."
      : `Called by ${who}${asks}.${f.reads_only ? " Changes nothing." : ""}`,
    "",
  );
  if (errors.length) {
    lines.push("| status | SQLSTATE | when |", "|---|---|---|");
    for (const [error, when] of errors) lines.push(`| ${status(error)} | ${error} | ${when} |`);
    lines.push("");
  }
  return lines.join("\n");
}

/** `$ORGANIZATION_ID` is the environment's variable in a shell, and organizationId in TypeScript. */
const camel = (name: string) => name.toLowerCase().replace(/_(.)/g, (_, c) => c.toUpperCase());
const PLACE = /^\$([A-Z][A-Z0-9_]*)$/;

/** A value as somebody would type it in TypeScript, on one line where it fits. */
function typed(value: Json, indent = "", room = 80): string {
  const key = (name: string) => /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
  const deeper = indent + "  ";
  if (typeof value === "string") {
    const place = value.match(PLACE);
    return place ? camel(place[1]!) : JSON.stringify(value);
  }
  if (value === null || typeof value !== "object") return String(value);
  const parts = (at: string, left: number) =>
    Array.isArray(value)
      ? value.map((each) => typed(each, at, left))
      : Object.entries(value).map(([name, each]) => `${key(name)}: ${typed(each, at, left)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{ ", " }"];
  const flat = open + parts("", Infinity).join(", ") + close;
  if (flat.length + indent.length <= room) return flat === "{  }" ? "{}" : flat;
  return `${open.trim()}\n${
    parts(deeper, room).map((part) => `${deeper}${part},\n`).join("")
  }${indent}${close.trim()}`;
}

/** One request as a curl command and as a supabase-js call, and its answer; `refused` is a status that is no success. */
function example(block: string, refused: string, answer: string, where: string): string {
  const [head, ...rest] = block.trim().split(/\n\n/);
  const [first, ...headerLines] = head!.split("\n");
  const [, method, path] = first!.match(/^(GET|POST) \/(\S+)$/) ?? [];
  const token = head!.match(/^authorization: Bearer \$(\w+)$/m)?.[1];
  if (!method || !path || !token) {
    wrong.push(
      `${where}: an http block begins with POST /rpc/name and authorization: Bearer $TOKEN`,
    );
    return "";
  }
  const body = rest.join("\n\n").trim();
  const rpc = path.match(/^rpc\/(\w+)$/)?.[1];
  const headers = ["apikey: $SUPABASE_ANON_KEY", ...headerLines];
  if (method === "POST" && !rpc) {
    headers.push("prefer: return=representation", "accept: application/vnd.pgrst.object+json");
  }
  const curl = [`curl "$SUPABASE_URL/rest/v1/${path}"`, ...headers.map((h) => `-H "${h}"`)];
  if (method === "POST") {
    curl.push(/[$'\n]/.test(body) ? `--json @- <<JSON\n${body}\nJSON` : `--json '${body || "{}"}'`);
  }

  const client = token === "SUPABASE_SERVICE_ROLE_KEY"
    ? "service"
    : token === "TOKEN"
    ? "supabase"
    : camel(token.replace(/_TOKEN$/, ""));
  let value: Json = {};
  try {
    value = JSON.parse(body || "{}");
  } catch {
    wrong.push(`${where}: the body is not JSON`);
  }
  const [table, query] = path.split("?");
  const select = `select("${new URLSearchParams(query).get("select") ?? "*"}")`;
  const call = rpc
    ? `rpc("${rpc}"${body ? `, ${typed(value)}` : ""})`
    : method === "POST"
    ? `from("${table}").insert(${typed(value)}).${select}.single()`
    : `from("${table}").${select}`;
  return [
    "```sh",
    curl.join(" \\\n    "),
    "```",
    "",
    "```ts",
    `const { data, error } = await ${client}.${call};`,
    "```",
    "",
    answer
      ? `Answers ${
        refused || (method === "POST" && !rpc ? 201 : 200)
      }:\n\n\`\`\`json\n${answer}\`\`\``
      : "Answers 204, with no body.",
  ].join("\n");
}

/** A file of docs/api with its functions described and its examples written out. */
function section(file: string, functions: Map<string, Described>): string {
  const text = Deno.readTextFileSync(new URL(file, folder));
  return text.trim().split(/^(?=## )/m).map((part) => {
    const name = part.match(/^## (.*)\n/)?.[1];
    const where = `docs/api/${file}${name ? `, ${name}` : ""}`;
    let described = "";
    if (name) {
      const found = functions.get(name);
      if (!found) wrong.push(`${where}: the database has no such function`);
      if (found && !/^```(http|sql)$/m.test(part)) wrong.push(`${where}: has no example`);
      described = found ? facts(found) : "";
      functions.delete(name);
    }
    return part
      .replace(/^## .*\n+/, () => `## ${name}\n\n${described}\n`)
      .replace(
        /^(#+ )/gm,
        (heading) => heading === "# " || heading === "## " ? `#${heading}` : heading,
      )
      .replace(
        /^```http\n([\s\S]*?)^```$(?:\n+^```json ?(\d*)\n([\s\S]*?)^```$)?/gm,
        (_, block, refused, answer) => example(block, refused, answer, where),
      )
      .trim();
  }).join("\n\n").replace(/\n{3,}/g, "\n\n");
}

const described = JSON.parse(await new Response(Deno.stdin.readable).text()) as Described[];
const functions = new Map(described.map((each) => [each.name, each]));
const page = Deno.readTextFileSync(new URL("page.md", folder))
  .replace(/^include: (\S+)$/gm, (_, file) => section(file, functions));
for (const name of functions.keys()) {
  wrong.push(`${name}: no heading "## ${name}" in docs/api, so it has no example`);
}
if (wrong.length) {
  console.error(wrong.join("\n"));
  Deno.exit(1);
}
console.log(page.trim());
