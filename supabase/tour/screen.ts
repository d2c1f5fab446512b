/**
 * What the tour prints: numbered steps; under each the requests as they went over the wire, the
 * answers, the times, and what was expected of them. Colour on a terminal only (NO_COLOR respected).
 */
const colour = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
const paint = (code: number) => (text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
const bold = paint(1), dim = paint(2), red = paint(31), green = paint(32), blue = paint(34);

/** Requests and answers are cut here; a tour is read, not parsed. */
const WIDTH = 150;

let steps = 0;
const outcome = { passed: 0, failed: 0 };

export function step(title: string): void {
  console.log(`\n${bold(`${++steps}. ${title}`)}`);
}

/** Prints whether something holds, and counts it. */
export function expect(holds: boolean, claim: string, instead?: unknown): void {
  if (holds) outcome.passed++;
  else outcome.failed++;
  const detail = !holds && instead !== undefined ? `, but: ${shorten(text(instead))}` : "";
  console.log(`   ${holds ? green("✓") : red("✗")} ${claim}${detail}`);
}

/** One line without judgement. */
export function say(line: string): void {
  console.log(`   ${line}`);
}

/** Prints the sum and returns the exit code. */
export function finish(startedAt: number): number {
  const { passed, failed } = outcome;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const sum = `${passed} expectations met, ${failed} failed, ${steps} steps, ${seconds} s`;
  console.log(`\n${failed ? red("Tour failed: ") : green("Tour complete: ")}${sum}`);
  return failed ? 1 : 0;
}

/** A fetch for supabase-js that prints every exchange. `who` is the caller's name on the screen. */
export function printing(who: string): typeof fetch {
  return async (input, init) => {
    const started = performance.now();
    const response = await fetch(input, init);
    const answer = await response.clone().text();
    const ms = (performance.now() - started).toFixed(1);
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? "GET";
    const path = pathname + decoded(search);
    const body = typeof init?.body === "string" ? ` ${hidden(init.body)}` : "";
    console.log(`   ${blue(who)} ${method} ${shorten(path + body)}`);
    const status = response.ok ? green(String(response.status)) : bold(String(response.status));
    console.log(`   ${status} ${shorten(answer || "(empty)")} ${dim(`${ms} ms`)}`);
    return response;
  };
}

/** A request's body as a person reads it. Secrets are not for the screen, not even invented ones. */
function hidden(body: string): string {
  if (!/^[{[]/.test(body)) return decoded(body);
  return body.replace(/("(?:authToken|authTokenNext)":)"[^"]*"/g, '$1"…"');
}

function decoded(query: string): string {
  return decodeURIComponent(query.replaceAll("+", " "));
}

function shorten(value: string): string {
  const line = value.replaceAll(/\s+/g, " ");
  if (line.length <= WIDTH) return line;
  const size = new TextEncoder().encode(value).length.toLocaleString("en");
  return `${line.slice(0, WIDTH)}… (${size} bytes)`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
}
