// `/rest/v1/*`: asks for an API key as Kong does in Supabase, then passes the request to PostgREST.

import { isPreflight } from "../functions/_shared/cors.ts";
import { allowAnyOrigin, preflight } from "./cors.ts";

/** Where PostgREST listens, and the keys that callers may present. */
export interface RestOptions {
  postgrest: string;
  apiKeys: string[];
}

/** Proxies one request. 401 without a known `apikey` (header or query), 502 when PostgREST does not answer. */
export async function rest(request: Request, options: RestOptions): Promise<Response> {
  if (isPreflight(request)) return preflight(request);
  const url = new URL(request.url);
  const key = request.headers.get("apikey") ?? url.searchParams.get("apikey");
  if (!key) return refuse("No API key found in request");
  if (!options.apiKeys.includes(key)) return refuse("Unauthorized");

  const headers = new Headers(request.headers);
  headers.delete("apikey");
  headers.delete("host");
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${key}`);
  const target = options.postgrest + (url.pathname.slice("/rest/v1".length) || "/") +
    withoutKey(url.search);
  try {
    const answer = await fetch(target, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
    return allowAnyOrigin(answer);
  } catch (error) {
    console.error("PostgREST does not answer:", error instanceof Error ? error.message : error);
    return Response.json({ message: "An invalid response was received from the upstream server" }, {
      status: 502,
    });
  }
}

/** The query as it was written: PostgREST reads operators out of it, so it is not re-encoded. */
function withoutKey(search: string): string {
  const kept = search.slice(1).split("&").filter((part) => part && !part.startsWith("apikey="));
  return kept.length ? `?${kept.join("&")}` : "";
}

function refuse(message: string): Response {
  return allowAnyOrigin(Response.json({ message }, { status: 401 }));
}
