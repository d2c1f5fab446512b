// `/functions/v1/<name>`: runs supabase/functions/<name>/handler.ts in this process, with the request as the edge
// runtime hands it over: the path starts at the function's name. A function's answer passes unchanged, so that one
// without CORS headers fails here as it would when deployed.

import { deps } from "../functions/_shared/deps.ts";
import { type Handler, respond } from "../functions/_shared/serve.ts";
import { allowAnyOrigin } from "./cors.ts";

const functions = new URL("../functions/", import.meta.url);

async function exists(url: URL): Promise<boolean> {
  try {
    return (await Deno.stat(url)).isFile;
  } catch {
    return false;
  }
}

/**
 * Answers one request; `authorized` decides about its token where config.toml says `verify_jwt`.
 * 404 for a function that does not exist, 401 without a valid token, 500 when it does not load.
 */
export async function serveFunction(
  request: Request,
  name: string,
  authorized?: (request: Request) => Promise<boolean>,
): Promise<Response> {
  const module = new URL(`${name}/handler.ts`, functions);
  if (name.startsWith("_") || !await exists(module)) {
    return refuse(404, "NOT_FOUND", "Requested function was not found");
  }
  // A preflight request carries no token; the function answers it, as in Supabase.
  if (authorized && request.method !== "OPTIONS" && !await authorized(request)) {
    return refuse(401, "UNAUTHORIZED_INVALID_JWT_FORMAT", "Invalid JWT");
  }
  try {
    const { handler } = await import(module.href) as { handler: Handler };
    return await respond(name, handler, inner(request), deps());
  } catch (error) {
    console.error(`${name}:`, error);
    return refuse(500, "WORKER_ERROR", "Function exited due to an error (please check logs)");
  }
}

function inner(request: Request): Request {
  const url = new URL(request.url);
  url.pathname = url.pathname.slice("/functions/v1".length);
  return new Request(url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
  });
}

/** The gateway's own answer; no function ran. A page may read it, to learn that its token has expired. */
function refuse(status: number, code: string, message: string): Response {
  return allowAnyOrigin(Response.json({ code, message }, { status }));
}
