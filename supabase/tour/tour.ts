/**
 * The tour of bin/demo: one organization does the main job through the real API, another one tries
 * to look and to reach in. Every step prints the request, the answer and its time, and says what was
 * expected; the exit code is 1 if an expectation failed. It makes the organizations tour-alpha and
 * tour-beta anew, so it can run any number of times. Needs SUPABASE_URL, SUPABASE_ANON_KEY,
 * SUPABASE_SERVICE_ROLE_KEY, SUPABASE_JWT_SECRET and DATABASE_URL.
 */
import { SignJWT } from "jose";
import { answerOf, type Answers, member } from "../functions/_shared/answers.ts";
import { createClient, type Json, type SupabaseClient } from "../functions/_shared/supabase.ts";
import { getExpectedTwilioSignature } from "../functions/_shared/twilio_library.ts";
import { postgres } from "../../tests/api/_postgres.ts";
import { parse } from "./csv.ts";
import { expect, finish, printing, say, step } from "./screen.ts";

const OWNERS = { alpha: "owner@alpha.example", beta: "owner@beta.example" };
const REP = "rep@alpha.example";
const SLUGS = { alpha: "tour-alpha", beta: "tour-beta" };

/** Invented; the last four characters of the account id are what the hint may show. */
const TWILIO = {
  accountSid: "AC0000000000000000000000000000009f3a",
  authToken: "0123456789abcdef0123456789abcdef",
};

/** Reserved for fiction by Ofcom; as a person types it, and as E.164. */
const NUMBER = { typed: "(0121) 496 0990", e164: "+441214960990" };
const CALLER = { typed: "07700 900001", e164: "+447700900001" };

interface Answer<T = unknown> {
  data: T;
  error: { code: string; message: string } | null;
  status: number;
}

const url = setting("SUPABASE_URL");
const functionsUrl = `${url}/functions/v1`;
const publicFunctionsUrl = Deno.env.get("PUBLIC_FUNCTIONS_URL") ?? functionsUrl;

Deno.exit(
  await main().catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }),
);

async function main(): Promise<number> {
  const started = performance.now();
  const users = await prepare();
  const server = createClient(url, setting("SUPABASE_SERVICE_ROLE_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: printing("server") },
  });

  step("Two organizations, each made by the user who will own it");
  const alpha = await organization("alpha", users.alpha);
  const beta = await organization("beta", users.beta);

  step("Alpha's agent");
  const agent = one(
    await alpha.as.from("agents")
      .insert({ name: "Agent 1", greeting: "Hello, this is Alpha. How can I help?" })
      .select("id,name").single(),
  );

  step("Alpha connects a Twilio account: the secret is sealed before it reaches the table");
  const account = one(
    await alpha.as.from("provider_accounts")
      .insert({
        provider: "twilio",
        label: "Main account",
        account_ref: TWILIO.accountSid,
        credentials: TWILIO,
      })
      .select("id,credentials_hint").single(),
  );
  const hint = account.credentials_hint;
  expect(
    member(hint, "authToken") === "set" &&
      String(member(hint, "accountSid")).endsWith(TWILIO.accountSid.slice(-4)),
    "the hint says what is set, and no more",
    hint,
  );
  refused(
    await alpha.as.from("provider_accounts").select("credentials"),
    403,
    "not even the owner reads the credentials back",
  );
  const { credentials } = one(
    await server.from("provider_accounts").select("credentials").eq("id", account.id).single(),
  );
  expect(
    member(credentials, "$sealed") === 1 && !JSON.stringify(credentials).includes(TWILIO.authToken),
    "what is stored, as the server's role sees it, is an envelope",
    credentials,
  );

  step("Alpha adds a phone number, typed as people type it");
  const number = one(
    await alpha.as.rpc("add_phone_number", {
      phone_number: NUMBER.typed,
      provider_account_id: account.id,
      agent_id: agent.id,
      friendly_name: "Front desk",
    }),
  );
  expect(number.phone_number === NUMBER.e164, `stored as ${NUMBER.e164}`, number.phone_number);

  step("Alpha imports leads.csv: many spellings, duplicates, dirty rows");
  const dataset = one(
    await alpha.as.from("datasets").insert({ name: "Old enquiries", source: "csv" })
      .select("id").single(),
  );
  const rows = parse<Record<string, string>>(
    await Deno.readTextFile(new URL("leads.csv", import.meta.url)),
    {
      bom: true,
      columns: true,
    },
  );
  const report = told(
    "import_leads",
    await alpha.as.rpc("import_leads", {
      dataset_id: dataset.id,
      rows,
      options: {
        filename: "leads.csv",
        mapping: {
          "First Name": "first_name",
          "Last Name": "last_name",
          "Mobile": "phone_number",
          "Email": "email",
          "Postcode": "postcode",
          "Inquiry Date": "inquiry_date",
          "Notes": "notes",
        },
        duplicate_action: "merge",
        allow_international: true,
      },
    }),
  );
  const { detected, inserted, merged, skipped, suppressed, failed } = report;
  say(`${detected} rows: ${inserted} inserted, ${merged} merged, ${failed} failed, for example:`);
  for (const { row, column, value, reason } of report.errors.slice(0, 4)) {
    say(`  row ${row}, ${column} ${JSON.stringify(value)}: ${reason}`);
  }
  expect(
    detected === rows.length && detected === inserted + merged + skipped + suppressed + failed,
    "every row is accounted for",
  );
  expect(
    inserted === 281 && merged === 20 && failed === 18,
    "281 inserted, 20 merged, 18 refused with a reason",
    { inserted, merged, failed },
  );

  step("Alpha's counters follow every change");
  const counters = async () =>
    one(
      await alpha.as.from("datasets").select("total_leads,active_leads,hot_leads")
        .eq("id", dataset.id).single(),
    );
  const before = await counters();
  const hot = one(
    await alpha.as.from("leads").update({ contact_status: "HOT" })
      .eq("phone_number", CALLER.e164).select("first_name,contact_status").single(),
  );
  const after = await counters();
  expect(before.total_leads === inserted, `${inserted} leads counted`, before);
  expect(
    before.hot_leads === 0 && after.hot_leads === 1,
    `${hot.first_name} became HOT: hot_leads went from 0 to 1`,
    after,
  );

  step("Alpha invites a sales rep, who works the leads assigned to them and sees no other");
  const invitation = told(
    "invite_member",
    await alpha.as.rpc("invite_member", { email: REP, role: "sales_rep" }),
  );
  refused(
    await beta.as.rpc("accept_invitation", { token: invitation.token }),
    403,
    "the token opens nothing for another address",
  );
  const rep = clientOf(users.rep, "rep", alpha.id);
  one(await rep.rpc("accept_invitation", { token: invitation.token }));
  refused(
    await rep.rpc("accept_invitation", { token: invitation.token }),
    404,
    "an invitation is good for one time",
  );
  nothing(await rep.from("leads").select("id"), "no lead is assigned to the rep yet");
  one(
    await alpha.as.from("leads").update({ assigned_to: users.rep })
      .eq("phone_number", CALLER.e164).select("first_name").single(),
  );
  const assigned = await rep.from("leads").select("first_name");
  expect(list(assigned).length === 1, `one of ${inserted} leads is the rep's`, assigned.data);
  refused(
    await rep.rpc("change_member", { user_id: users.rep, changes: { role: "owner" } }),
    403,
    "a rep does not make themself an owner",
  );
  refused(
    await alpha.as.rpc("leave_organization", { organization_id: alpha.id }),
    409,
    "the last owner does not leave",
  );

  step("Alpha writes a prompt and teaches it a lesson; publishing compiles both");
  one(
    await alpha.as.from("lessons")
      .insert({
        lesson_type: "never_rule",
        title: "Never promise a price",
        description: "Prices are given after the survey.",
        priority: 5,
      })
      .select("id").single(),
  );
  const prompt = one(
    await alpha.as.from("prompts")
      .insert({
        name: "Reactivation",
        prompt_structure: {
          context: { content: "You answer for Alpha.", source: "user", why: "Who is speaking." },
          goal: { content: "Book a survey.", source: "user", why: "What Alpha sells." },
        },
      })
      .select("id").single(),
  );
  const version = one(
    await alpha.as.rpc("publish_prompt", { prompt_id: prompt.id, reason: "First release" }),
  );
  expect(version.version === "1.0", `version ${version.version}, sha256 ${version.sha256}`);
  expect(
    version.compiled_prompt?.includes("Never promise a price"),
    "the lesson is part of the text",
    version.compiled_prompt,
  );
  one(
    await alpha.as.from("agents").update({ prompt_version_id: version.id }).eq("id", agent.id)
      .select("name,prompt_version_id").single(),
  );

  step("Somebody rings: Twilio's signed webhook, and the same question from a worker");
  const sid = `CA${crypto.randomUUID().replaceAll("-", "")}`;
  const spoken = await webhook(sid, TWILIO.authToken);
  expect(
    spoken.status === 200 && spoken.body.includes("Hello, this is Alpha."),
    "the caller hears Alpha's greeting",
    spoken.body,
  );
  const forged = await webhook(sid, "somebody else's token");
  expect(forged.status === 403, "the same webhook signed with another token is refused", forged);
  const route = await server.rpc("route_inbound_call", {
    called: NUMBER.e164,
    caller: CALLER.typed,
    provider: "twilio",
    provider_sid: sid,
  });
  const decision = told("route_inbound_call", route);
  expect(
    decision.decision === "answer" && decision.agent?.id === agent.id &&
      decision.lead?.contact_status === "HOT" && decision.prompt?.version_id === version.id,
    "the worker learns the agent, its prompt, the caller and the lead in one answer",
    decision,
  );
  const calls = await alpha.as.from("calls").select("caller_number,called_number,status");
  expect(list(calls).length === 1, "both asked about one call, and there is one call", calls.data);

  step("Beta's owner tries to read all of it");
  nothing(
    await beta.as.from("organizations").select("id").eq("id", alpha.id),
    "no row of Alpha's organizations",
  );
  const tables = [
    "memberships",
    "agents",
    "provider_accounts",
    "phone_numbers",
    "datasets",
    "uploads",
    "leads",
    "lessons",
    "prompts",
    "prompt_versions",
    "customers",
    "calls",
  ] as const;
  for (const table of tables) {
    nothing(
      await beta.as.from(table).select("organization_id").eq("organization_id", alpha.id),
      `no row of Alpha's ${table}`,
    );
  }
  const pretending = clientOf(users.beta, "beta as alpha", alpha.id);
  nothing(await pretending.from("leads").select("id"), "nor with Alpha's id in the header");

  step("Beta's owner tries to write");
  const theirs = { organization_id: alpha.id };
  refused(
    await beta.as.from("agents").insert({ name: "Spy", ...theirs }),
    403,
    "no agent in Alpha's name",
  );
  nothing(
    await beta.as.from("agents").update({ greeting: "Hello from Beta" }).eq("id", agent.id)
      .select("id"),
    "Alpha's agent keeps its greeting",
  );
  refused(
    await beta.as.from("provider_accounts")
      .insert({ provider: "twilio", account_ref: "AC1", credentials: TWILIO, ...theirs }),
    403,
    "no account in Alpha's name",
  );
  nothing(
    await beta.as.from("provider_accounts").update({ credentials: { authToken: "mine" } })
      .eq("id", account.id).select("id"),
    "Alpha's credentials stay as they are",
  );
  refused(
    await beta.as.rpc("provider_credentials", { provider_account_id: account.id, reason: "x" }),
    403,
    "opening credentials is not for users at all",
  );
  refused(
    await beta.as.rpc("add_phone_number", { phone_number: NUMBER.e164, provider: "twilio" }),
    409,
    "Alpha's number is in use; by whom is not said",
  );
  nothing(
    await beta.as.from("phone_numbers").delete().eq("id", number.id).select("id"),
    "Alpha's number stays",
  );
  refused(
    await beta.as.rpc("import_leads", { dataset_id: dataset.id, rows: rows.slice(0, 1) }),
    404,
    "Alpha's dataset does not exist for an import",
  );
  nothing(
    await beta.as.from("leads").update({ contact_status: "REMOVED" }).eq("dataset_id", dataset.id)
      .select("id"),
    "Alpha's leads stay as they are",
  );
  refused(
    await beta.as.from("datasets").update({ total_leads: 0 }).eq("id", dataset.id),
    403,
    "counters are nobody's to write",
  );
  refused(
    await beta.as.rpc("publish_prompt", { prompt_id: prompt.id, reason: "x" }),
    404,
    "Alpha's prompt does not exist for publishing",
  );
  refused(
    await beta.as.from("prompt_versions").update({ compiled_prompt: "x" }).eq("id", version.id),
    403,
    "published versions are nobody's to change",
  );
  const own = one(await beta.as.from("agents").insert({ name: "Agent B" }).select("id").single());
  refused(
    await beta.as.from("agents").update({ prompt_version_id: version.id }).eq("id", own.id),
    409,
    "Beta's agent cannot speak by Alpha's prompt",
  );
  refused(
    await beta.as.rpc("route_inbound_call", {
      called: NUMBER.e164,
      caller: CALLER.e164,
      provider: "twilio",
      provider_sid: sid,
    }),
    403,
    "routing is not for users at all",
  );
  refused(
    await beta.as.rpc("switch_organization", { organization_id: alpha.id }),
    403,
    "Alpha is not Beta's to switch to",
  );

  step("Without signing in, nobody gets anything");
  const nobody = createClient(url, setting("SUPABASE_ANON_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: printing("anon") },
  });
  refused(await nobody.from("leads").select("id"), 401, "no leads");
  refused(await nobody.rpc("create_organization", { name: "Gamma" }), 401, "no organization");

  step("And Alpha still has everything");
  const last = await counters();
  expect(
    last.total_leads === inserted && last.hot_leads === 1,
    `${inserted} leads, one of them HOT`,
    last,
  );
  return finish(started);
}

/** Removes what an earlier tour left and returns the ids of the users of seed.sql. */
async function prepare(): Promise<{ alpha: string; beta: string; rep: string }> {
  const sql = postgres(setting("DATABASE_URL"), { max: 1, onnotice: () => {} });
  try {
    await sql`delete from public.organizations where slug in ${sql(Object.values(SLUGS))}`;
    const rows = await sql`
      select id, email from auth.users where email in ${sql(Object.values(OWNERS).concat(REP))}`;
    const id = (email: string) => {
      const user = rows.find((row) => row.email === email);
      if (!user) throw new Error(`there is no user ${email}: run bin/stack reset to load the seed`);
      return user.id as string;
    };
    return { alpha: id(OWNERS.alpha), beta: id(OWNERS.beta), rep: id(REP) };
  } finally {
    await sql.end();
  }
}

async function organization(
  name: keyof typeof SLUGS,
  user: string,
): Promise<{ id: string; as: SupabaseClient }> {
  const title = name[0]?.toUpperCase() + name.slice(1);
  const row = one(
    await clientOf(user, name).rpc("create_organization", { name: title, slug: SLUGS[name] }),
  );
  expect(row.slug === SLUGS[name], `${OWNERS[name]} owns ${title}`, row);
  return { id: row.id, as: clientOf(user, name, row.id) };
}

/** supabase-js as a user; the header says for which organization, as an application would. */
function clientOf(user: string, who: string, organization?: string): SupabaseClient {
  return createClient(url, setting("SUPABASE_ANON_KEY"), {
    accessToken: () => jwt(user),
    global: {
      fetch: printing(who),
      headers: organization ? { "x-organization-id": organization } : {},
    },
  });
}

/** A token as Supabase Auth would issue it after the user has signed in. */
function jwt(user: string): Promise<string> {
  return new SignJWT({ sub: user, role: "authenticated", aud: "authenticated" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(setting("SUPABASE_JWT_SECRET")));
}

/** An incoming call as Twilio announces it, signed with the account's token. */
async function webhook(sid: string, token: string): Promise<{ status: number; body: string }> {
  const fields = {
    CallSid: sid,
    AccountSid: TWILIO.accountSid,
    From: CALLER.e164,
    To: NUMBER.e164,
  };
  const signed = `${publicFunctionsUrl}/voice-inbound`;
  const response = await printing("twilio")(`${functionsUrl}/voice-inbound`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": getExpectedTwilioSignature(token, signed, fields),
    },
    body: new URLSearchParams(fields).toString(),
  });
  return { status: response.status, body: await response.text() };
}

/** The row of an answer; the tour cannot go on without it. */
function one<T>({ data, error, status }: Answer<T>): NonNullable<T> {
  if (error || !data) {
    const { code, message } = error ?? { code: "", message: "no data" };
    throw new Error(`the tour ends here: HTTP ${status} ${code} ${message}`);
  }
  return data;
}

/** As `one`, for an RPC that answers jsonb. */
function told<Rpc extends keyof Answers>(rpc: Rpc, answer: Answer<Json>): Answers[Rpc] {
  return answerOf(rpc, one<Json>(answer));
}

function list(answer: Answer): unknown[] {
  return Array.isArray(answer.data) ? answer.data : [];
}

function nothing(answer: Answer, claim: string): void {
  expect(!answer.error && list(answer).length === 0, `0 rows: ${claim}`, answer.data);
}

function refused(answer: Answer, status: number, claim: string): void {
  const seen = `${answer.status} ${answer.error?.code ?? "no error"}`;
  const holds = answer.status === status && answer.error !== null;
  expect(holds, `${holds ? seen : status}: ${claim}`, seen);
}

function setting(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set; the tour is started by bin/demo`);
  return value;
}
