/**
 * `GET /health`: whether this worker reaches the database and finds the migrations' tables there.
 * For load balancers and monitors; it tells no versions and no data, so it needs no token.
 */
import type { Deps } from "../_shared/deps.ts";
import { errorResponse, Refusal } from "../_shared/errors.ts";

/** Answers 200 `{ok: true, ms}`, 503 `{ok: false, ms}`, 405. */
export async function handle(
  request: Request,
  { service, budgetMs, log }: Deps,
): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    const refusal = new Refusal("method_not_allowed", "use GET");
    return errorResponse(refusal, crypto.randomUUID(), { allow: "GET, HEAD" });
  }
  const started = performance.now();
  const { error } = await service.from("phone_numbers").select("id").limit(1)
    .abortSignal(AbortSignal.timeout(budgetMs));
  if (error) log({ function: "health", outcome: "unavailable", code: error.code });
  return Response.json(
    { ok: !error, ms: Math.round(performance.now() - started) },
    { status: error ? 503 : 200, headers: { "cache-control": "no-store" } },
  );
}
