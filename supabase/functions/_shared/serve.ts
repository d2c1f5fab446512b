/**
 * What every function does around its own work: request id, method check, cross-origin answers, one
 * log line, and errors that say nothing of what is inside. `serve` starts a function; `respond` is
 * the same without a server, for tests and for the local stack's gateway.
 */
import { allowOrigin, isPreflight, preflight } from "./cors.ts";
import { type Deps, deps, type LogEntry } from "./deps.ts";
import { DatabaseError, errorResponse, Refusal } from "./errors.ts";

/** What a handler is given beside the request. */
export interface Context extends Omit<Deps, "allowedOrigins" | "log"> {
  /** The function's name, as in its URL. */
  name: string;
  requestId: string;
  /** Adds to the request's log line; `outcome` says in a word what came of it. */
  note: (fields: LogEntry) => void;
}

/** What `<name>/handler.ts` exports as `handler`. */
export interface Handler {
  /** Answered methods; others get 405. */
  methods: readonly string[];
  /** Whether pages call it: preflight and CORS headers. False for webhooks. */
  browsers: boolean;
  /** Throws a `Refusal` for what the caller did wrong; anything else that it throws is our fault. */
  handle: (request: Request, context: Context) => Promise<Response>;
  /** The answer when it is our fault, for callers who do not read the JSON error. */
  failed?: () => Response;
}

/** Starts a function. Fails at once, and not on the first request, when a variable is not set. */
export function serve(name: string, handler: Handler): void {
  const wired = deps();
  Deno.serve((request) => respond(name, handler, request, wired));
}

/** Answers one request; never rejects. */
export async function respond(
  name: string,
  handler: Handler,
  request: Request,
  { allowedOrigins, log, ...rest }: Deps,
): Promise<Response> {
  const started = performance.now();
  const requestId = requestIdOf(request);
  const noted: LogEntry = {};
  const note = (fields: LogEntry) => void Object.assign(noted, fields);
  const answer = await answerTo(request, handler, { ...rest, name, requestId, note });

  const headers = new Headers(answer.headers);
  headers.set("x-request-id", requestId);
  if (handler.browsers) allowOrigin(headers, request, allowedOrigins);
  const { status, statusText } = answer;
  log({
    outcome: answer.ok ? "ok" : "refused",
    ...noted,
    function: name,
    request_id: requestId,
    status,
    ms: Math.round(performance.now() - started),
  });
  return new Response(answer.body, { status, statusText, headers });
}

/** Whether a handler gave an answer that can be sent: not `Response.error()`, nor one already read. */
function sendable(answer: Response | undefined): answer is Response {
  return answer instanceof Response && answer.status >= 200 && !answer.bodyUsed;
}

async function answerTo(
  request: Request,
  handler: Handler,
  context: Context,
): Promise<Response> {
  const { methods, browsers } = handler;
  if (browsers && isPreflight(request)) {
    context.note({ outcome: "preflight" });
    return preflight(request, methods);
  }
  try {
    if (!methods.includes(request.method)) {
      throw new Refusal("method_not_allowed", `use ${methods[0]}`, { allow: methods.join(", ") });
    }
    const answer = await handler.handle(request, context);
    if (!sendable(answer)) throw new TypeError("the handler's answer cannot be sent");
    return answer;
  } catch (error) {
    const refusal = refusalFor(error, context.note);
    if (refusal !== error && handler.failed) return handler.failed();
    return errorResponse(refusal, context.requestId);
  }
}

/** What the caller may know of an error; the log learns more. */
function refusalFor(error: unknown, note: Context["note"]): Refusal {
  const said = error instanceof Refusal ? error.cause : error;
  if (said instanceof DatabaseError) {
    note({ step: said.step, code: said.code, message: withoutValues(said.message) });
  }
  if (error instanceof Refusal) {
    note({ outcome: error.code });
    return error;
  }
  if (error instanceof DatabaseError) {
    note({ outcome: "database_error" });
    if (error.isPassing) return new Refusal("unavailable", "try again in a moment");
  } else {
    const bug = error instanceof Error ? error : new Error();
    note({ outcome: "failed", error: bug.name, at: place(bug) });
  }
  return new Refusal("internal", "the request failed; its request_id is in the log");
}

/** The caller's id when it is a uuid, so that one id follows a request through; else a new one. */
function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id")?.toLowerCase() ?? "";
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given) ? given : crypto.randomUUID();
}

/** Where an error was thrown, like `health/handler.ts:20`: its text could hold anything. */
function place(error: Error): string | null {
  return /([\w-]+\/[\w-]+\.ts:\d+)/.exec(error.stack?.slice(error.message.length) ?? "")?.[1] ??
    null;
}

/** PostgreSQL quotes a value that it could not read; neither it nor a phone number is for the log. */
function withoutValues(text: string): string {
  return text.replace(/: "[^]*"/g, ': "…"').replace(/\+?\d[\d ().-]{5,}\d/g, "…");
}
