/** The one place that names the supabase-js version; `bin/test lint` compares it with pgrx.toml. */
export { createClient } from "npm:@supabase/supabase-js@2.119.0";
export type { SupabaseClient } from "npm:@supabase/supabase-js@2.119.0";
