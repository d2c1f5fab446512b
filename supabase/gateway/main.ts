// The local stack's one entry point, started by bin/stack: what Kong and the edge runtime do in Supabase, as far as
// clients notice. `/rest/v1/*` goes to PostgREST behind an API key, `/functions/v1/<name>` to the edge functions'
// handlers in this process, `/health` answers for bin/stack. Never part of a deployment.

import { jwtVerify } from "jose";
import { parse } from "smol-toml";
import { rest } from "./rest.ts";
import { serveFunction } from "./functions.ts";

/** A setting that bin/stack must pass. */
function env(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set; start the gateway with bin/stack up`);
  return value;
}

const port = Number(env("GATEWAY_PORT"));
const postgrest = env("POSTGREST_URL");
const apiKeys = [env("SUPABASE_ANON_KEY"), env("SUPABASE_SERVICE_ROLE_KEY")];
const jwtKey = new TextEncoder().encode(env("SUPABASE_JWT_SECRET"));

/** The `[functions.<name>]` tables of supabase/config.toml. */
const config = parse(
  Deno.readTextFileSync(new URL("../config.toml", import.meta.url)),
) as { functions?: Record<string, { verify_jwt?: boolean }> };

/** True when the bearer token is signed with this stack's secret and has not expired. */
async function hasValidJwt(request: Request): Promise<boolean> {
  const token = request.headers.get("authorization")?.match(/^Bearer (.+)$/i)?.[1];
  if (!token) return false;
  try {
    await jwtVerify(token, jwtKey, { algorithms: ["HS256"] });
    return true;
  } catch {
    return false;
  }
}

function route(request: Request): Response | Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/health") return Response.json({ ok: true });
  if (pathname.startsWith("/rest/v1/") || pathname === "/rest/v1") {
    return rest(request, { postgrest, apiKeys });
  }
  const name = pathname.match(/^\/functions\/v1\/([A-Za-z0-9_-]+)(?:\/|$)/)?.[1];
  if (name) {
    const verifyJwt = config.functions?.[name]?.verify_jwt ?? true;
    return serveFunction(request, name, verifyJwt ? hasValidJwt : undefined);
  }
  return Response.json({ message: "no Route matched with those values" }, { status: 404 });
}

Deno.serve(
  { hostname: "127.0.0.1", port, onListen: () => console.log(`listening on ${port}`) },
  route,
);
