/**
 * Errors as a handler throws them, as callers that are no telephony provider see them, and as they
 * may be logged. One body shape for every function: `{error: {code, message, request_id}}`.
 */
export type ErrorCode =
  | "bad_request"
  | "conflict"
  | "forbidden"
  | "internal"
  | "method_not_allowed"
  | "not_found"
  | "payload_too_large"
  | "too_many_requests"
  | "unauthorized"
  | "unavailable"
  | "unsupported_media_type";

const STATUS: Record<ErrorCode, number> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
};

/** A refusal that the caller is told as it stands; its message is safe to send. */
export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly headers: HeadersInit = {},
    /** What the database said, for the log alone. */
    cause?: DatabaseError,
  ) {
    super(message, { cause });
    this.name = "Refusal";
  }
}

/** `{error: {code, message, request_id}}` with the status that belongs to the code. */
export function errorResponse(refusal: Refusal, requestId: string): Response {
  const { code, message } = refusal;
  const headers = new Headers(refusal.headers);
  if (code === "unauthorized") headers.set("www-authenticate", "Bearer");
  const error = { code, message, request_id: requestId };
  return Response.json({ error }, { status: STATUS[code], headers });
}

/** What supabase-js answers, as far as errors go; status 0 is a server that was not reached. */
type Answer<T> =
  | { data: T; error: null; status: number }
  | { data: unknown; error: { code?: string; message: string }; status: number };

/** A database error. Carries PostgREST's code and message; neither may hold a secret by contract. */
export class DatabaseError extends Error {
  constructor(
    readonly step: string,
    readonly code: string,
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "DatabaseError";
  }

  /** True when the same request may succeed later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status > 501;
  }
}

/** The data of a supabase-js answer, or a `DatabaseError` that names the step which failed. */
export function unwrap<T>(step: string, answer: Answer<T>): T {
  if (answer.error) {
    const { code, message } = answer.error;
    throw new DatabaseError(step, code || "unreachable", answer.status, message);
  }
  return answer.data as T;
}

/** What the database may refuse a user, in words that say nothing about its rows. */
const REFUSED = new Map<number, [ErrorCode, string]>([
  [400, ["bad_request", "the request does not fit what is asked for"]],
  [401, ["unauthorized", "sign in again"]],
  [403, ["forbidden", "you have no right to do this"]],
  [404, ["not_found", "there is no such thing, or you may not see it"]],
  [409, ["conflict", "this conflicts with something that exists"]],
  [429, ["too_many_requests", "the limit is reached"]],
]);

/** What no user can help: a table, column or function that is not there; of 400 all but bad values and rules. */
function isOurs({ status, code }: DatabaseError): boolean {
  return code.startsWith("PGRST2") || status === 400 && !/^(PT400|22...|23514)$/.test(code);
}

/** As `unwrap`, for what was asked by `forUser`: the database's refusal becomes the caller's. */
export function unwrapForUser<T>(step: string, answer: Answer<T>): T {
  try {
    return unwrap(step, answer);
  } catch (error) {
    const refused = error instanceof DatabaseError && REFUSED.get(error.status);
    if (!refused || isOurs(error)) throw error;
    const [code, message] = refused;
    throw new Refusal(code, message, {}, error);
  }
}
