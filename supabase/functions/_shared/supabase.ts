/**
 * supabase-js that knows the database's tables and functions. Everything that asks the API imports it
 * from here: functions, the tour, the API tests.
 */
import type { Database as Generated } from "./database.types.ts";
import { createClient as create, type SupabaseClient as Client } from "./supabase_library.ts";

export type { Json } from "./database.types.ts";

type Tables = Generated["public"]["Tables"];

/** A trigger compiles a prompt into these, and no client writes them; the generated type asks for them. */
type Compiled = "compiled_prompt" | "compiled_sha256" | "compile_report" | "lessons_count";

interface Prompts extends Omit<Tables["prompts"], "Insert"> {
  Insert: Omit<Tables["prompts"]["Insert"], Compiled>;
}

export interface Database extends Omit<Generated, "public"> {
  public: Omit<Generated["public"], "Tables"> & {
    Tables: Omit<Tables, "prompts"> & { prompts: Prompts };
  };
}

export type SupabaseClient = Client<Database>;

/** For tests of what the types rule out. */
export type UntypedClient = Client;

export const createClient = create<Database>;
