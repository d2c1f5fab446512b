/**
 * The one place that names the supabase-js version, and what makes every client know the database's
 * tables and functions. Functions, the tour and the API tests import it from here; `bin/test lint`
 * compares the version with pgrx.toml.
 */
import { createClient as create } from "npm:@supabase/supabase-js@2.119.0";
import type { SupabaseClient as Client } from "npm:@supabase/supabase-js@2.119.0";
import type { Database } from "./database.types.ts";

export type { Database, Json } from "./database.types.ts";

export type SupabaseClient = Client<Database>;

export const createClient = create<Database>;
