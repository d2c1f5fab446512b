// The schemas under attack: the requirement documents' own (tests/requirements) and ours, each with tenants a and b, and
// c and d of one person. A world says how the things that every attack needs are called in it; what only one document
// has is null elsewhere. bin/lib/tier_attack.sh makes the databases.
import { createHash } from "node:crypto";
import type { postgres } from "../api/_postgres.ts";

/** The same name is the same id in every world, as tests.id() of tests/pgtap has it. */
export function id(name: string): string {
  const hex = createHash("md5").update(`switchboard test ${name}`).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A table with rows of tenants; $t in the values stands for the tenant's letter. */
export interface Table {
  name: string;
  tenant: string;
  columns: string;
  values: string;
  change: string;
}

/** How the counters' parent and children are called. */
export interface Counters {
  parents: string;
  children: string;
  parent: string;
}

export interface World {
  name: string;
  database: string;
  /** Rows of tenants a to d, written as postgres. Ours come from tests/pgtap/_helpers.psql. */
  fixture: string | null;
  tables: Table[];
  /** The tenant's table, and the column with its plan. */
  root: { table: string; plan: string } | null;
  /** Ways in which somebody would make themselves a member of b, or more than they are. */
  grants: Record<string, string>;
  counters: Counters | null;
  /** A table that every member with the highest role writes from a client. */
  writes: string[];
  /** Two live prompts on one dataset of a; ours has no such flag, so PostgreSQL does not know the column. */
  secondLivePrompt: string[] | null;
  /** Reads a provider's token as the member with the least rights. */
  readToken: string | null;
  /** Enters b's number for a. */
  sameNumber: string | null;
  /** Changes what every tenant starts from and none owns. */
  changeShared: string | null;
  /** Inserts for tenant $t on which a trigger works that fires before row level security does, by title. */
  triggered: Record<string, string>;
  /** Accepts, as somebody whose address only looks like it, an invitation to another address. */
  lookAlike: string[] | null;
  /** Makes an organization as an anonymous user whose token does not say so. */
  anonymousOwner: string[] | null;
  /** Points a reference at a row of the own tenant that a member may not see. */
  outOfSight: string[] | null;
  /** A table of a definer helper, made again where an unpinned search_path finds it first. */
  shadow: string[] | null;
}

const people = `
create schema tests;
grant usage on schema tests to anon, authenticated, service_role;
create function tests.id(name text) returns uuid language sql immutable
    return md5('switchboard test ' || name)::uuid;
grant execute on function tests.id(text) to anon, authenticated, service_role;
insert into auth.users (id, email)
select tests.id(name), split_part(name, '.', 2) || '@' || split_part(name, '.', 1) || '.example'
from unnest(array['a.owner', 'a.viewer', 'b.owner', 'm.both', 'n.nobody']) as name;
`;

/** Runs a statement template once for each tenant. */
const tenants = (template: string, of = ["a", "b", "c", "d"]) =>
  of.map((t) => template.replaceAll("$t", t)).join("\n");

const none = {
  root: null,
  grants: {},
  counters: null,
  writes: [],
  secondLivePrompt: null,
  readToken: null,
  sameNumber: null,
  changeShared: null,
  triggered: {},
  lookAlike: null,
  anonymousOwner: null,
  outOfSight: null,
  shadow: null,
};

const s0: World = {
  ...none,
  name: "S0",
  database: "attack_s0",
  fixture: people + tenants(`
    insert into organizations (id, name, owner_id)
    values (tests.id('$t'), 'Tenant $t', tests.id(case when '$t' in ('c', 'd') then 'm.both' else '$t.owner' end));
    insert into agents (id, organization_id, agent_name) values (tests.id('$t.agent'), tests.id('$t'), 'Agent of $t');
  `),
  tables: [{
    name: "agents",
    tenant: "organization_id",
    columns: "agent_name",
    values: "'New'",
    change: "agent_name = 'Changed'",
  }],
  root: { table: "organizations", plan: "" },
  grants: {
    "own another organization": `update organizations set owner_id = '${
      id("a.owner")
    }' where id = '${id("b")}'`,
  },
  writes: ["agents"],
};

const s1: World = {
  ...none,
  name: "S1",
  database: "attack_s1",
  fixture: people + tenants(`
    insert into organizations (id, name, slug) values (tests.id('$t'), 'Tenant $t', 'tenant-$t');
    insert into agents (id, org_id, name, phone_number, voice_id)
    values (tests.id('$t.agent'), tests.id('$t'), 'Agent of $t', '+44306999080' || ascii('$t') % 10, 'v');
    insert into customers (id, org_id, phone, name)
    values (tests.id('$t.customer'), tests.id('$t'), '+447700900003', 'Customer of $t');
  `) + `
    insert into profiles (id, org_id, role) values
        (tests.id('a.owner'), tests.id('a'), 'admin'), (tests.id('a.viewer'), tests.id('a'), 'viewer'),
        (tests.id('b.owner'), tests.id('b'), 'admin'), (tests.id('m.both'), tests.id('c'), 'manager');
  `,
  tables: [
    {
      name: "agents",
      tenant: "org_id",
      columns: "name, phone_number, voice_id",
      values: "'New', '+443069990999', 'v'",
      change: "name = 'Changed'",
    },
    {
      name: "customers",
      tenant: "org_id",
      columns: "phone",
      values: "'+447700900099'",
      change: "name = 'Changed'",
    },
    {
      name: "profiles",
      tenant: "org_id",
      columns: "id, role",
      values: "tests.id('n.nobody'), 'viewer'",
      change: "full_name = 'Changed'",
    },
  ],
  root: { table: "organizations", plan: "plan_tier" },
  grants: {
    "become its admin": `update profiles set role = 'admin' where id = '${id("a.viewer")}'`,
    "move to another organization": `update profiles set org_id = '${id("b")}' where id = '${
      id("a.viewer")
    }'`,
  },
  shadow: [
    "create temporary table profiles (id uuid, org_id uuid, role text)",
    "grant select on pg_temp.profiles to public",
    `insert into pg_temp.profiles values ('${id("a.viewer")}', '${id("b")}', 'admin')`,
    `select 1 from customers where org_id = '${id("b")}'`,
  ],
};

const s2: World = {
  ...none,
  name: "S2",
  database: "attack_s2",
  fixture: people + `insert into agents (id, user_id)
    values (tests.id('a.agent'), tests.id('a.owner')), (tests.id('b.agent'), tests.id('b.owner'));`,
  tables: [],
};

const s3: World = {
  ...none,
  name: "S3",
  database: "attack_s3",
  fixture: people + tenants(`
    insert into organizations (id, name) values (tests.id('$t'), 'Tenant $t');
    insert into agents (id, organization_id, agent_name) values (tests.id('$t.agent'), tests.id('$t'), 'Agent of $t');
    insert into phone_numbers (id, organization_id, provider, phone_number, credentials, agent_id)
    values (tests.id('$t.number'), tests.id('$t'), 'twilio', '+44306999080' || ascii('$t') % 10,
        '{"authToken": "token of $t"}', tests.id('$t.agent'));
  `) + `
    insert into user_organizations (user_id, organization_id) values
        (tests.id('a.owner'), tests.id('a')), (tests.id('a.viewer'), tests.id('a')),
        (tests.id('b.owner'), tests.id('b')), (tests.id('m.both'), tests.id('c')), (tests.id('m.both'), tests.id('d'));
  `,
  tables: [
    {
      name: "agents",
      tenant: "organization_id",
      columns: "agent_name",
      values: "'New'",
      change: "agent_name = 'Changed'",
    },
    {
      name: "phone_numbers",
      tenant: "organization_id",
      columns: "provider, phone_number, credentials",
      values: "'twilio', '+443069990999', '{}'",
      change: "friendly_name = 'Changed'",
    },
    {
      name: "user_organizations",
      tenant: "organization_id",
      columns: "user_id",
      values: "tests.id('n.nobody')",
      change: "user_id = user_id",
    },
  ],
  root: { table: "organizations", plan: "" },
  grants: {
    "join another organization":
      `insert into user_organizations (user_id, organization_id) values ('${id("a.viewer")}', '${
        id("b")
      }')`,
  },
  writes: ["phone_numbers"],
  readToken: "select credentials ->> 'authToken' as token from phone_numbers",
  sameNumber: `insert into phone_numbers (organization_id, provider, phone_number, credentials)
    select '${id("a")}', provider, phone_number, '{}' from phone_numbers where organization_id = '${
    id("b")
  }'`,
};

const s4: World = {
  ...none,
  name: "S4",
  database: "attack_s4",
  fixture: people + tenants(`
    insert into clients (id, company_name) values (tests.id('$t'), 'Tenant $t');
    insert into users (user_id, client_id, email, role)
    select tests.id(name), tests.id('$t'), name, role
    from (values ('a', 'a.owner', 'company_owner'), ('a', 'a.viewer', 'read_only'), ('b', 'b.owner', 'company_owner'),
        ('c', 'm.both', 'company_owner'), ('d', 'm.both', 'company_owner')) as member (tenant, name, role)
    where tenant = '$t';
    insert into campaign_settings (id, client_id, m1_message) values (tests.id('$t.settings'), tests.id('$t'), 'Hello');
    insert into datasets (id, client_id, name, campaign_settings_id)
    values (tests.id('$t.dataset'), tests.id('$t'), 'List of $t', tests.id('$t.settings'));
    insert into leads (id, client_id, dataset_id, first_name, phone_number) values
        (tests.id('$t.lead'), tests.id('$t'), tests.id('$t.dataset'), 'Lead 001', '+44770090010' || ascii('$t') % 10),
        (tests.id('$t.lead.rep'), tests.id('$t'), tests.id('$t.dataset'), 'Lead 002', '+44770090020' || ascii('$t') % 10);
    insert into conversations (id, client_id, dataset_id, lead_id)
    values (tests.id('$t.conversation'), tests.id('$t'), tests.id('$t.dataset'), tests.id('$t.lead'));
    insert into messages (id, client_id, conversation_id, lead_id, content, direction)
    values (tests.id('$t.message'), tests.id('$t'), tests.id('$t.conversation'), tests.id('$t.lead'), 'Hello', 'outbound');
    insert into lessons (id, client_id, lesson_type, title) values (tests.id('$t.lesson'), tests.id('$t'), 'never_rule', 'Lesson of $t');
    insert into prompts (id, client_id, dataset_id, name, prompt_structure, compiled_prompt)
    values (tests.id('$t.prompt'), tests.id('$t'), tests.id('$t.dataset'), 'Prompt of $t', '{}', '');
    insert into prompt_versions (id, client_id, prompt_id, version, version_number, changes, changes_summary)
    values (tests.id('$t.version'), tests.id('$t'), tests.id('$t.prompt'), '1.0', 1, '{}', 'first version');
    insert into sophie_insights (id, client_id, insight_type, title, description, message_id)
    values (tests.id('$t.insight'), tests.id('$t'), 'message', 'Insight of $t', '', tests.id('$t.message'));
    insert into uploads (id, client_id, filename, file_url) values (tests.id('$t.upload'), tests.id('$t'), 'leads.csv', '');
  `) + `insert into prompt_templates (name, description, category, template_structure)
    values ('Template', 'For tests', 'general', '{}');`,
  tables: [
    ["users", "user_id, email, role", "tests.id('n.nobody'), 'n', 'read_only'", "phone = 'x'"],
    ["campaign_settings", "m1_message", "'Hello'", "m1_message = 'Changed'"],
    ["datasets", "name", "'New'", "description = 'Changed'"],
    [
      "leads",
      "dataset_id, first_name, phone_number",
      "tests.id('$t.dataset'), 'Lead 099', '+447700900099'",
      "notes = 'Changed'",
    ],
    [
      "conversations",
      "dataset_id, lead_id",
      "tests.id('$t.dataset'), tests.id('$t.lead.rep')",
      "status = 'archived'",
    ],
    [
      "messages",
      "conversation_id, lead_id, content, direction",
      "tests.id('$t.conversation'), tests.id('$t.lead'), 'New', 'inbound'",
      "content = 'Changed'",
    ],
    ["lessons", "lesson_type, title", "'never_rule', 'New'", "title = 'Changed'"],
    ["prompts", "name, prompt_structure, compiled_prompt", "'New', '{}', ''", "name = 'Changed'"],
    [
      "prompt_versions",
      "prompt_id, version, version_number, changes, changes_summary",
      "tests.id('$t.prompt'), '2.0', 2, '{}', 'x'",
      "changes_summary = 'Changed'",
    ],
    ["sophie_insights", "insight_type, title, description", "'message', 'New', ''", "title = 'x'"],
    ["uploads", "filename, file_url", "'new.csv', ''", "filename = 'changed.csv'"],
  ].map(([name, columns, values, change]) => ({
    name: name!,
    tenant: "client_id",
    columns: columns!,
    values: values!,
    change: change!,
  })),
  root: { table: "clients", plan: "plan" },
  grants: {
    "join another organization": `insert into users (user_id, client_id, email, role) values ('${
      id("a.viewer")
    }', '${id("b")}', 'v', 'company_owner')`,
    "become its admin": `update users set role = 'company_owner' where user_id = '${
      id("a.viewer")
    }'`,
    "see every lead": `update users set can_view_all_leads = true where user_id = '${
      id("a.viewer")
    }'`,
  },
  counters: { parents: "datasets", children: "leads", parent: "dataset_id" },
  writes: ["leads", "datasets", "lessons"],
  changeShared: "update prompt_templates set description = 'Changed'",
  secondLivePrompt: [
    `update prompts set is_live = true, status = 'live' where client_id = '${id("a")}'`,
    `insert into prompts (client_id, dataset_id, name, prompt_structure, compiled_prompt, is_live, status)
     values ('${id("a")}', '${id("a.dataset")}', 'Second', '{}', '', true, 'live')`,
  ],
};

/** What PostgREST sets for a signed-in user, for attacks that first prepare something as the tables' owner. */
const signIn = (name: string) =>
  `select set_config('request.jwt.claims', '{"sub": "${
    id(name)
  }", "role": "authenticated"}', true), set_config('role', 'authenticated', true)`;

const ours: World = {
  ...none,
  name: "ours",
  database: "attack_ours",
  fixture: null,
  tables: [],
  root: { table: "organizations", plan: "plan" },
  grants: {
    "join another organization":
      `insert into memberships (user_id, organization_id, role) values ('${id("a.viewer")}', '${
        id("b")
      }', 'owner')`,
    "become its admin": `update memberships set role = 'owner' where user_id = '${id("a.viewer")}'`,
    "see every lead": `update memberships set can_view_all_leads = true where user_id = '${
      id("a.viewer")
    }'`,
    "move to another organization": `update profiles set default_organization_id = '${
      id("b")
    }' where id = '${id("a.viewer")}'`,
    "open a support session":
      `insert into support_sessions (organization_id, admin_id, reason, capabilities, expires_at)
       values ('${id("b")}', '${id("a.viewer")}', 'x', '{leads.read}', now() + interval '5 min')`,
    "become a member by the documents' view":
      `update users set role = 'company_owner' where user_id = '${id("a.viewer")}'`,
    "become a platform administrator": `insert into private.platform_admins (user_id) values ('${
      id("a.viewer")
    }')`,
  },
  counters: { parents: "datasets", children: "leads", parent: "dataset_id" },
  writes: ["leads", "datasets", "lessons", "agents"],
  changeShared: "update prompt_templates set description = 'Changed' where organization_id is null",
  secondLivePrompt: [
    `update prompts set is_live = true, status = 'live' where organization_id = '${id("a")}'`,
  ],
  readToken: "select credentials ->> 'authToken' as token from provider_accounts",
  sameNumber: `insert into phone_numbers (organization_id, provider, phone_number)
    select '${id("a")}', provider, phone_number from phone_numbers where organization_id = '${
    id("b")
  }'`,
  triggered: {
    "customers, a national number":
      "insert into customers (organization_id, phone_number) values ('$t', '020 7183 8750')",
    "leads, a national number":
      `insert into leads (organization_id, dataset_id, first_name, phone_number)
       values ('$t', '${id("b.dataset")}', 'Lead', '020 7183 8750')`,
    "provider_accounts, a secret":
      `insert into provider_accounts (organization_id, provider, account_ref, credentials)
       values ('$t', 'twilio', 'AC', '{"authToken": "x"}')`,
  },
  lookAlike: [
    `update auth.users set email = chr(8490) || 'ate@n.example', email_confirmed_at = now() where id = '${
      id("n.nobody")
    }'`,
    `insert into invitations (organization_id, email, role, token_hash, invited_by, expires_at) values
       ('${id("b")}', 'kate@n.example', 'admin', sha256('x'), '${
      id("b.owner")
    }', now() + interval '1 day')`,
    signIn("n.nobody"),
    "select accept_invitation('x')",
  ],
  anonymousOwner: [
    `update auth.users set is_anonymous = true where id = '${id("n.nobody")}'`,
    signIn("n.nobody"),
    "select create_organization('Anonymous')",
  ],
  outOfSight: [
    signIn("a.sales_rep"),
    `update leads set duplicate_of = '${id("a.lead")}' where id = '${id("a.lead.rep")}'`,
  ],
  shadow: [
    "create temporary table memberships (like public.memberships including defaults)",
    "grant select on pg_temp.memberships to public",
    `insert into pg_temp.memberships (organization_id, user_id, role)
     values ('${id("b")}', '${id("a.viewer")}', 'owner')`,
    `select 1 from customers where organization_id = '${id("b")}'`,
  ],
};

export const documents = [s0, s1, s2, s3, s4];
export { ours };

/** Ours has the tables that the isolation tests of tests/pgtap know, which are all in public. */
export async function readOurTables(db: postgres.Sql): Promise<Table[]> {
  return await db<Table[]>`
    select name, tenant_column as tenant, insert_columns as columns, insert_values as values, change
    from tests.tenant_tables order by name`;
}
