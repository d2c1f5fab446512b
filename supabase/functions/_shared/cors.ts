/**
 * Which pages of other origins a browser lets read an answer. As Supabase's own APIs do it: any
 * origin, and never with cookies, because a caller proves itself by the token it sends.
 */

/** Origins like `https://app.example`; `["*"]` is any. */
export type Origins = readonly string[];

/** True for the request that a browser sends ahead of a cross-origin one. */
export function isPreflight(request: Request): boolean {
  return request.method === "OPTIONS" && request.headers.has("access-control-request-method");
}

/** Answers a preflight request; `allowOrigin` adds whose page it is for. */
export function preflight(request: Request, methods: readonly string[]): Response {
  const headers = {
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "*",
    "access-control-max-age": "3600",
  };
  return new Response(null, { status: 204, headers });
}

/** Adds to an answer's headers that the page which asked may read it. */
export function allowOrigin(headers: Headers, request: Request, origins: Origins): void {
  headers.set("access-control-expose-headers", "x-request-id");
  if (origins.includes("*")) {
    headers.set("access-control-allow-origin", "*");
    return;
  }
  // A cache must not give one origin's answer to another.
  headers.append("vary", "origin");
  const origin = request.headers.get("origin");
  if (origin && origins.includes(origin)) headers.set("access-control-allow-origin", origin);
}
