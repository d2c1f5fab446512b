/**
 * `GET /health`: whether this worker reaches the database and finds the migrations' tables there.
 * For load balancers and monitors; it tells no versions and no data, so it needs no token.
 */
import type { Handler } from "../_shared/serve.ts";

/** Answers 200 `{ok: true, ms}`, 503 `{ok: false, ms}`. */
export const handler: Handler = {
  methods: ["GET", "HEAD"],
  browsers: true,
  async handle(_request, { service, budgetMs, note }) {
    const started = performance.now();
    const { error } = await service.from("phone_numbers").select("id").limit(1)
      .abortSignal(AbortSignal.timeout(budgetMs));
    if (error) note({ outcome: "unavailable", code: error.code });
    return Response.json(
      { ok: !error, ms: Math.round(performance.now() - started) },
      { status: error ? 503 : 200, headers: { "cache-control": "no-store" } },
    );
  },
};
