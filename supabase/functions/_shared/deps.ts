/**
 * What a handler needs from outside, so that tests can point the same handler at another database
 * or another public URL. `deps()` is the production wiring, read once per worker from the environment.
 */
import { createClient, type SupabaseClient } from "./supabase.ts";

/** One log line: flat, machine-readable, and free of secrets and of phone numbers. */
export type LogEntry = Record<string, string | number | boolean | null | undefined>;

export interface Deps {
  /** supabase-js as `service_role`: bypasses row-level security, so every query names its tenant. */
  service: SupabaseClient;
  /** Public base URL of the functions without a trailing slash, as configured at the provider. */
  functionsUrl: string;
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
    service: createClient(required("SUPABASE_URL"), required("SUPABASE_SERVICE_ROLE_KEY"), {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      // The library would wait a second before it tries again: half of the budget.
      db: { retry: false },
    }),
    functionsUrl: required("PUBLIC_FUNCTIONS_URL").replace(/\/+$/, ""),
    budgetMs: BUDGET_MS,
    log: (entry) => console.log(JSON.stringify(entry)),
  };
  return wired;
}

function required(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`environment variable ${name} is not set`);
  return value;
}
