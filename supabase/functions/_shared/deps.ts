/**
 * What a handler needs from outside, so that tests can point the same handler at another database
 * or another public URL. `deps()` is the production wiring, read once per worker from the environment.
 */
import type { Origins } from "./cors.ts";
import { Refusal } from "./errors.ts";
import { createClient, type SupabaseClient } from "./supabase.ts";

/** One log line: flat, machine-readable, and free of secrets and of phone numbers. */
export type LogEntry = Record<string, string | number | boolean | null | undefined>;

export interface Deps {
  /** supabase-js as `service_role`: bypasses row-level security, so every query names its tenant. */
  service: SupabaseClient;
  /**
   * supabase-js under the caller's own token: row-level security decides, for the organization that
   * the request names. Throws the Refusal `unauthorized` when the request brings no bearer token;
   * whether the token is good is found out by asking.
   */
  forUser: (request: Request) => SupabaseClient;
  /** Public base URL of the functions without a trailing slash, as configured at the provider. */
  functionsUrl: string;
  /** Whose pages may call the functions that browsers call. */
  allowedOrigins: Origins;
  /** Time in milliseconds that one request may spend waiting for the database. */
  budgetMs: number;
  log: (entry: LogEntry) => void;
}

/** A provider waits longer than this, but its caller hears silence meanwhile. */
const BUDGET_MS = 2_000;

let wired: Deps | undefined;

/** Production wiring. Throws an error naming the missing variable, never its neighbours' values. */
export function deps(): Deps {
  wired ??= {
    ...clients(
      required("SUPABASE_URL"),
      required("SUPABASE_ANON_KEY"),
      required("SUPABASE_SERVICE_ROLE_KEY"),
    ),
    functionsUrl: required("PUBLIC_FUNCTIONS_URL").replace(/\/+$/, ""),
    allowedOrigins: origins(Deno.env.get("ALLOWED_ORIGINS")),
    budgetMs: BUDGET_MS,
    log: (entry) => console.log(JSON.stringify(entry)),
  };
  return wired;
}

/** Headers by which a request says for which of its user's organizations it acts. */
const ORGANIZATION_HEADERS = ["x-organization-id", "x-organization-slug"];

/** Both kinds of client. `fetch` is the network, which tests replace. */
export function clients(
  url: string,
  anonKey: string,
  serviceKey: string,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Pick<Deps, "service" | "forUser"> {
  // The library would wait a second before it tries again: half of the budget.
  const db = { retry: false };
  return {
    service: createClient(url, serviceKey, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      db,
      global: { fetch },
    }),
    forUser: (request) => {
      const token = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
      if (!token) {
        throw new Refusal("unauthorized", "send your access token as Authorization: Bearer");
      }
      const headers: Record<string, string> = {};
      for (const name of ORGANIZATION_HEADERS) {
        const value = request.headers.get(name);
        if (value !== null) headers[name] = value;
      }
      return createClient(url, anonKey, {
        accessToken: () => Promise.resolve(token),
        db,
        global: { fetch, headers },
      });
    },
  };
}

/** `https://a.example, https://b.example`; any origin when it is not set, none when it is empty. */
export function origins(list = "*"): Origins {
  return list.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

function required(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`environment variable ${name} is not set`);
  return value;
}
