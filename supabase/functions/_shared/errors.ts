/**
 * Answers for callers that are not a telephony provider, and errors as they may be logged. One body
 * shape for every function: `{error: {code, message, request_id}}`.
 */
export type ErrorCode =
  | "bad_request"
  | "forbidden"
  | "method_not_allowed"
  | "payload_too_large"
  | "unavailable"
  | "unsupported_media_type";

const STATUS: Record<ErrorCode, number> = {
  bad_request: 400,
  forbidden: 403,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unavailable: 503,
};

/** A refusal that the handler answers with `errorResponse`; its message is safe to send. */
export class Refusal extends Error {
  constructor(readonly code: ErrorCode, message: string) {
    super(message);
    this.name = "Refusal";
  }
}

/** `{error: {code, message, request_id}}` with the status that belongs to the code. */
export function errorResponse(refusal: Refusal, requestId: string, headers?: HeadersInit) {
  const error = { code: refusal.code, message: refusal.message, request_id: requestId };
  return Response.json({ error }, { status: STATUS[refusal.code], headers });
}

/** A database error. Carries PostgREST's code and message; neither may hold a secret by contract. */
export class DatabaseError extends Error {
  constructor(readonly step: string, readonly code: string, message: string) {
    super(message);
    this.name = "DatabaseError";
  }
}

/** The data of a supabase-js answer, or a `DatabaseError` that names the step which failed. */
export function unwrap<T>(
  step: string,
  answer: { data: T; error: null } | { data: unknown; error: { code?: string; message: string } },
): T {
  if (answer.error) {
    throw new DatabaseError(step, answer.error.code || "unreachable", answer.error.message);
  }
  return answer.data as T;
}
