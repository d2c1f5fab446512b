// People, organizations and clients for the API tests. Every test makes its own, so tests run again
// and side by side on one stack. Users come from SQL because the local stack has no sign-up service;
// everything else a test does goes through supabase-js, as in an application.
import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { answerOf, type Answers } from "../../supabase/functions/_shared/answers.ts";
import {
  createClient,
  type Json,
  type SupabaseClient,
  type UntypedClient,
} from "../../supabase/functions/_shared/supabase.ts";
import { postgres } from "./_postgres.ts";

export { member as memberOf } from "../../supabase/functions/_shared/answers.ts";
export type { Json, SupabaseClient };

export type Role = "owner" | "admin" | "manager" | "sales_rep" | "viewer";

/** A setting that bin/test passes. */
export function setting(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set: run these tests with bin/test api`);
  return value;
}

export interface Person {
  id: string;
  email: string;
  /** JWT as Supabase Auth would issue it. */
  token: string;
}

export interface Tenant {
  id: string;
  slug: string;
  owner: Person;
  /** supabase-js as the owner, with the organization named in a header. */
  as: SupabaseClient;
}

/** supabase-js without a user: the anon key only. */
export function anon(headers: Record<string, string> = {}): SupabaseClient {
  return createClient(setting("SUPABASE_URL"), setting("SUPABASE_ANON_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers },
  });
}

/** supabase-js with the service key. */
export function service(headers: Record<string, string> = {}): SupabaseClient {
  return createClient(setting("SUPABASE_URL"), setting("SUPABASE_SERVICE_ROLE_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers },
  });
}

/** supabase-js as a person; `organization` becomes the header x-organization-id. */
export function client(
  person: Person,
  organization?: string,
  headers: Record<string, string> = {},
): SupabaseClient {
  if (organization) headers = { "x-organization-id": organization, ...headers };
  return createClient(setting("SUPABASE_URL"), setting("SUPABASE_ANON_KEY"), {
    accessToken: () => Promise.resolve(person.token),
    global: { headers },
  });
}

/** The same client for what the types rule out: tables known at run time only, arguments that are wrong. */
export function untyped(client: SupabaseClient): UntypedClient {
  return client;
}

/** A token for any claims, signed with the stack's secret; valid for an hour unless `exp` is given. */
export async function token(claims: Record<string, unknown>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const defaults = { role: "authenticated", aud: "authenticated", iat: now, exp: now + 3600 };
  return await new SignJWT({ ...defaults, ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(setting("SUPABASE_JWT_SECRET")));
}

/** A new user, who has confirmed the e-mail address unless told otherwise. */
export async function person(options: { confirmed?: boolean } = {}): Promise<Person> {
  const id = crypto.randomUUID();
  const email = `${id}@people.example`;
  const confirmed = options.confirmed === false ? null : new Date();
  await sql((db) =>
    db`insert into auth.users (id, aud, role, email, email_confirmed_at)
       values (${id}, 'authenticated', 'authenticated', ${email}, ${confirmed})`
  );
  return { id, email, token: await token({ sub: id, email }) };
}

/** A new organization with a new owner, made by create_organization. */
export async function tenant(options: { default_country?: string } = {}): Promise<Tenant> {
  const owner = await person();
  const { data, error } = await client(owner).rpc("create_organization", {
    name: `Organization of ${owner.id}`,
    ...options,
  });
  if (error) throw new Error(`create_organization: ${error.code} ${error.message}`);
  return { id: data.id, slug: data.slug, owner, as: client(owner, data.id) };
}

/** A new user with a role in the organization (memberships are written by RPC only, hence SQL). */
export async function member(organization: Tenant, role: Role): Promise<Person> {
  const someone = await person();
  await join(organization, someone, role);
  return someone;
}

export async function join(organization: Tenant, someone: Person, role: Role): Promise<void> {
  await sql((db) =>
    db`insert into public.memberships (organization_id, user_id, role)
       values (${organization.id}, ${someone.id}, ${role})`
  );
}

/** Leaves somebody of several organizations without a default: their requests have to name one. */
export async function undecided(someone: Person): Promise<void> {
  await sql((db) =>
    db`update public.profiles set default_organization_id = null where id = ${someone.id}`
  );
}

/** Runs statements as the role `postgres`, for what no API may do. */
export async function sql<T>(work: (db: postgres.Sql) => Promise<T>): Promise<T> {
  const db = postgres(setting("DATABASE_URL"), { max: 1, onnotice: () => {} });
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

/** Area codes in which Ofcom keeps 496 0000 to 496 0999 for fiction. */
const FICTIONAL_AREAS = [
  "113",
  "114",
  "115",
  "116",
  "117",
  "118",
  "121",
  "131",
  "141",
  "151",
  "161",
];

/** A fictional number that no organization uses yet on this stack, as typed and as E.164. */
export async function freeNumber(): Promise<{ typed: string; e164: string }> {
  const rows = await sql((db) => db`select phone_number from public.phone_numbers`);
  const used = new Set(rows.map((row) => row.phone_number));
  const free = FICTIONAL_AREAS.flatMap((area) =>
    Array.from({ length: 1000 }, (_, i) => ({ area, line: String(i).padStart(4, "0") }))
  ).filter(({ area, line }) => !used.has(`+44${area}496${line}`));
  const one = free[Math.floor(Math.random() * free.length)];
  if (!one) throw new Error("every fictional number is taken: run STACK_NAME=test bin/stack reset");
  return { typed: `(0${one.area}) 496 ${one.line}`, e164: `+44${one.area}496${one.line}` };
}

/** What supabase-js answers, as far as the assertions below look at it. */
interface Answer<T> {
  data: T;
  error: { code: string; message: string; details?: string | null; hint?: string | null } | null;
  status: number;
}

/** The data of an answer that must not be an error. */
export function ok<T>(answer: Answer<T>): NonNullable<T> {
  const { error, status } = answer;
  assert.equal(error, null, `HTTP ${status} ${error?.code} ${error?.message} ${error?.details}`);
  assert.ok(answer.data !== null, "the answer holds no data");
  return answer.data as NonNullable<T>;
}

/** As `ok`, for an RPC that answers jsonb: its answer as the named type, which its members must bear out. */
export function told<Rpc extends keyof Answers>(rpc: Rpc, answer: Answer<Json>): Answers[Rpc] {
  return answerOf(rpc, ok<Json>(answer));
}

/** Asserts a refusal: its HTTP status, its SQLSTATE, and (if given) what its text says. */
export function refused(answer: Answer<unknown>, status: number, code: string, says?: RegExp) {
  const { error } = answer;
  assert.ok(error, `expected ${code}, got HTTP ${answer.status} ${JSON.stringify(answer.data)}`);
  assert.deepEqual({ status: answer.status, code: error.code }, { status, code }, error.message);
  if (says) assert.match(`${error.message} ${error.details ?? ""} ${error.hint ?? ""}`, says);
  return error;
}

/** Asserts that the statement was allowed but met no row: what another tenant's rows look like. */
export function nothing(answer: Answer<unknown>) {
  assert.equal(answer.error, null, `${answer.error?.code} ${answer.error?.message}`);
  assert.deepEqual(answer.data ?? [], []);
}
