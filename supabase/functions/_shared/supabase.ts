/**
 * The one place that names the supabase-js version. Functions, the tour and the API tests import it
 * from here; `bin/test lint` compares the version with pgrx.toml.
 */
export { createClient } from "npm:@supabase/supabase-js@2.119.0";
export type { PostgrestError, SupabaseClient } from "npm:@supabase/supabase-js@2.119.0";
