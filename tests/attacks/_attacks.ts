// The attacks, one list for every world. An attack is tried as somebody on each of its subjects; `works` looks at what
// the database answered. Nothing is kept: the runner rolls every try back.
import { id, type Table, type World } from "./_worlds.ts";

/** The highest and the least member of a, a member of c and d, nobody's member, no user; and the tables' owner. */
export type Actor = "owner" | "viewer" | "both" | "stranger" | "anon" | "postgres";

export interface Outcome {
  rows: Record<string, unknown>[];
  count: number;
  /** SQLSTATE, or null when nothing was raised. */
  code: string | null;
}

/** A foreign key whose parent holds tenants' rows, or people. */
export interface Reference {
  child: string;
  tenant: string;
  column: string;
  /** A parent that belongs to b. */
  foreign: string;
}

/** What the runner reads from a world's catalogue. */
export interface Catalogue {
  references: Reference[];
  /** Calls of every function in public, with NULL for each argument. */
  functions: { name: string; call: string }[];
  /** Functions of one text argument that an API role may execute. */
  takingText: string[];
  /** Columns of the world's tables that hold texts or jsonb. */
  values: { table: string; tenant: string; column: string; type: "text" | "jsonb" }[];
  /** One id of b's rows, and of a's, by table. */
  ids: Record<string, { a: string; b: string }>;
}

export interface Try {
  subject: string;
  statements: string[];
}

export interface Attack {
  /** Attack number of the threat list, or number of the documents' defect. */
  id: string;
  title: string;
  by: Actor;
  tries(world: World, catalogue: Catalogue): Try[];
  works(outcome: Outcome, world: World): boolean;
}

const a = id("a");
const b = id("b");

const touched = (outcome: Outcome) => outcome.count > 0;
const refusedByRls = (outcome: Outcome) => ["42501", "42P17"].includes(outcome.code ?? "");
const raised = (code: string) => (outcome: Outcome) => outcome.code === code;

/** One try for each table of the world. */
function each(statement: (table: Table) => string | null): Attack["tries"] {
  return ({ tables }) =>
    tables.flatMap((table) => {
      const text = statement(table);
      return text ? [{ subject: table.name, statements: [text] }] : [];
    });
}
const insert = (table: Table, t: string) =>
  `insert into ${table.name} (${table.tenant}, ${table.columns}) values ('${id(t)}', ${
    table.values.replaceAll("$t", t)
  })`;

const lists = (by: Actor, own: string[]): Attack => ({
  id: "1",
  title: "list every row, without a filter",
  by,
  tries: each(({ name, tenant }) => `select ${tenant} as tenant from ${name}`),
  works: ({ rows }) => rows.some(({ tenant }) => tenant !== null && !own.includes(String(tenant))),
});
const filtered = (title: string, where: (table: Table, theirId?: string) => string): Attack => ({
  id: "1",
  title,
  by: "owner",
  tries: ({ tables }, { ids }) =>
    tables.map((table) => ({
      subject: table.name,
      statements: [`select 1 from ${table.name} where ${where(table, ids[table.name]?.b)}`],
    })),
  works: touched,
});
const joins = (by: Actor): Attack => ({
  id: "4",
  title: "insert a row of another tenant",
  by,
  tries: each((table) => insert(table, "b")),
  works: touched,
});
const changes = (by: Actor): Attack => ({
  id: "6",
  title: "update another tenant's rows",
  by,
  tries: each(({ name, tenant, change }) =>
    `update ${name} set ${change} where ${tenant} = '${b}'`
  ),
  works: touched,
});
const deletes = (by: Actor): Attack => ({
  id: "6",
  title: "delete another tenant's rows",
  by,
  tries: each(({ name, tenant }) => `delete from ${name} where ${tenant} = '${b}'`),
  // A reference that still holds the row says 23503 only after the row was allowed to go.
  works: (outcome) => touched(outcome) || outcome.code === "23503",
});
const moves = (by: Actor, from: string, to: string): Attack => ({
  id: "7",
  title: `give a row to ${by === "both" ? "another own organization" : "another tenant"}`,
  by,
  tries: each(({ name, tenant }) =>
    tenant === "id"
      ? null
      : `update ${name} set ${tenant} = '${id(to)}' where ${tenant} = '${id(from)}'`
  ),
  works: touched,
});
const truncates = (by: Actor): Attack => ({
  id: "50",
  title: "truncate a table, which row level security does not see",
  by,
  tries: each(({ name }) => `truncate ${name} cascade`),
  works: ({ code }) => code === null,
});
const points = (by: Actor): Attack => ({
  id: "11",
  title: "point a row at another tenant's",
  by,
  tries: (_, { references }) =>
    references.map(({ child, tenant, column, foreign }) => ({
      subject: `${child}.${column}`,
      statements: [`update ${child} set ${column} = '${foreign}' where ${tenant} = '${a}'`],
    })),
  works: touched,
});

const stores = (title: string, type: "text" | "jsonb", values: string[]): Attack => ({
  id: "X13",
  title,
  by: "owner",
  tries: (_, { values: columns }) =>
    columns.filter((column) => column.type === type).flatMap(({ table, tenant, column }) =>
      values.map((value) => ({
        subject: `${table}.${column}`,
        statements: [`update ${table} set ${column} = ${value} where ${tenant} = '${a}'`],
      }))
    ),
  works: touched,
});
/** 100 bytes that read as a megabyte. */
const NUMBERS = `[${"1e131071,".repeat(9)}1e131071]`;

/** A statement of one world, or none. */
const special = (
  attackId: string,
  title: string,
  by: Actor,
  statements: (world: World) => string[] | null,
  works: Attack["works"],
): Attack => ({
  id: attackId,
  title,
  by,
  tries: (world) => {
    const found = statements(world);
    return found ? [{ subject: "", statements: found }] : [];
  },
  works,
});
/** The statement for two tenants, and a row if the two get different answers. */
const compared = (statement: string, one: string, other: string) => [
  `do $do$
   declare
     tenant text;
     told text := '';
   begin
     foreach tenant in array array['${one}', '${other}'] loop
       begin
         execute replace($statement$${statement}$statement$, '$t', tenant);
         told := told || ' done';
       exception when others then
         told := told || ' ' || sqlstate || replace(sqlerrm, tenant, '');
       end;
       perform set_config('tests.told_' || md5(tenant), told, true);
       told := '';
     end loop;
   end
   $do$`,
  `select 1 where current_setting('tests.told_' || md5('${one}')) <> current_setting('tests.told_' || md5('${other}'))`,
];
const listens = (by: Actor): Attack => ({
  id: "46",
  title: "learn from a trigger that an organization exists",
  by,
  tries: ({ tables, triggered }) =>
    [
      ...tables.filter(({ tenant }) => tenant !== "id").map((table) =>
        [table.name, insert(table, "b").replace(`values ('${b}'`, "values ('$t'")] as const
      ),
      ...Object.entries(triggered),
    ].map(([subject, statement]) => ({
      subject,
      statements: compared(statement, b, id("nowhere")),
    })),
  works: touched,
});
const counted = ({ counters }: World, statement: (c: NonNullable<World["counters"]>) => string[]) =>
  counters && [
    ...statement(counters),
    `select p.total_leads <> (select count(*) from ${counters.children} c where c.${counters.parent} = p.id) as wrong
     from ${counters.parents} p`,
  ];
const own = ({ tables, name }: World) =>
  tables.find((table) => table.name === "datasets")?.tenant ?? name;
/** A contact opts out, something happens to the lead, and the number comes again: it works where that lead is open. */
const optedOut = (
  way: string,
  between: (c: NonNullable<World["counters"]>) => string[],
): Attack =>
  special(
    "X13",
    `contact somebody who opted out ${way}`,
    "postgres",
    (world) =>
      world.counters && [
        `select set_config('tests.number', phone_number, true)
         from ${world.counters.children} where id = '${id("a.lead.rep")}'`,
        `update ${world.counters.children} set contact_status = 'REMOVED' where id = '${
          id("a.lead.rep")
        }'`,
        `insert into ${world.counters.parents} (id, ${own(world)}, name)
         values ('${id("a.other")}', '${a}', 'Other list')`,
        ...between(world.counters),
        `insert into ${world.counters.children}
           (${own(world)}, ${world.counters.parent}, first_name, phone_number)
         values ('${a}', '${id("a.other")}', 'Again', current_setting('tests.number'))`,
        `select 1 from ${world.counters.children}
         where ${world.counters.parent} = '${id("a.other")}' and contact_status <> 'REMOVED'`,
      ],
    touched,
  );

export const attacks: Attack[] = [
  lists("owner", [a]),
  lists("viewer", [a]),
  lists("both", [id("c"), id("d")]),
  lists("stranger", []),
  lists("anon", []),
  filtered("ask for another tenant's rows", ({ tenant }) => `${tenant} = '${b}'`),
  filtered(
    "ask for a row of another tenant by its id",
    ({ tenant }, theirs) => theirs ? `id = '${theirs}'` : `${tenant} = '${b}'`,
  ),
  filtered("or=(…)", ({ tenant }) => `${tenant} = '${b}' or ${tenant} is null and false`),
  filtered(
    "not.eq own, not null",
    ({ tenant }) => `${tenant} is not null and not ${tenant} = '${a}'`,
  ),
  ...(["owner", "viewer", "stranger", "anon"] as const).map(joins),
  ...(["owner", "viewer", "stranger", "anon"] as const).map(changes),
  ...(["owner", "viewer", "stranger", "anon"] as const).map(deletes),
  moves("owner", "a", "b"),
  moves("both", "c", "d"),
  points("owner"),
  points("postgres"),
  {
    id: "9",
    title: "learn from the primary key that an id exists",
    by: "postgres",
    tries: ({ tables }, { ids }) =>
      tables.flatMap((table) => {
        const theirs = ids[table.name]?.b;
        if (!theirs || table.tenant === "id" || /\bid\b/.test(table.columns)) return [];
        const text = insert(table, "a").replace("(", "(id, ").replace(
          "values (",
          `values ('${theirs}', `,
        );
        return [{ subject: table.name, statements: [text] }];
      }),
    works: raised("23505"),
  },
  ...(["owner", "stranger"] as const).map(listens),
  {
    id: "14",
    title: "make oneself more than one is",
    by: "viewer",
    tries: ({ grants }) =>
      Object.entries(grants).map(([subject, text]) => ({ subject, statements: [text] })),
    works: touched,
  },
  ...(["anon", "owner"] as const).map(truncates),
  {
    id: "35",
    title: "call a function without signing in",
    by: "anon",
    tries: (_, { functions }) =>
      functions.map(({ name, call }) => ({ subject: name, statements: [call] })),
    works: ({ code }) => code !== "42501",
  },
  {
    id: "X10",
    title: "drop a table through a function that takes text",
    by: "anon",
    tries: (_, { takingText }) =>
      takingText.map((name) => ({
        subject: name,
        statements: [
          `select ${name}('drop table public.agents cascade')`,
          "select 1 where to_regclass('public.agents') is null",
        ],
      })),
    works: touched,
  },
  {
    id: "X2",
    title: "policies that recurse: reading raises 42P17",
    by: "owner",
    tries: each(({ name, tenant }) => `select ${tenant} from ${name}`),
    works: raised("42P17"),
  },
  {
    id: "X3",
    title: "a table without row level security",
    by: "postgres",
    tries: each(({ name }) =>
      `select 1 from pg_class where oid = 'public.${name}'::regclass and not relrowsecurity`
    ),
    works: touched,
  },
  ...(["owner", "stranger", "anon"] as const).map((by) =>
    special(
      "X3",
      "change the templates that every tenant starts from",
      by,
      ({ changeShared }) => changeShared ? [changeShared] : null,
      touched,
    )
  ),
  {
    id: "X4",
    title: "a member with every right cannot insert an own row",
    by: "owner",
    tries: ({ tables, writes }) =>
      tables.filter(({ name }) => writes.includes(name)).map((table) => ({
        subject: table.name,
        statements: [insert(table, "a")],
      })),
    works: refusedByRls,
  },
  special(
    "X5",
    "a deleted lead is still counted",
    "postgres",
    (world) =>
      counted(world, ({ children }) => [
        `delete from ${children} where id = '${id("a.lead.rep")}'`,
      ]),
    ({ rows }) => rows.some(({ wrong }) => wrong),
  ),
  special(
    "X5",
    "a lead that moves is counted where it was",
    "postgres",
    (world) =>
      counted(world, ({ parents, children, parent }) => [
        `insert into ${parents} (id, ${own(world)}, name) values ('${
          id("a.other")
        }', '${a}', 'Other list')`,
        `update ${children} set ${parent} = '${id("a.other")}' where id = '${id("a.lead.rep")}'`,
      ]),
    ({ rows }) => rows.some(({ wrong }) => wrong),
  ),
  optedOut("by a lead in another dataset", () => []),
  optedOut("by another number for the lead that opted out", ({ children }) => [
    `update ${children} set phone_number = '+447700900777' where id = '${id("a.lead.rep")}'`,
  ]),
  optedOut("by deleting the lead that opted out", ({ children }) => [
    `delete from ${children} where id = '${id("a.lead.rep")}'`,
  ]),
  special(
    "X6",
    "300 leads in one statement rewrite their dataset 300 times",
    "postgres",
    (world) =>
      world.counters && [
        // The view counts from the session's last report, not from the transaction's start.
        `select set_config('tests.before', n_tup_upd::text, true)
         from pg_stat_xact_user_tables where relname = '${world.counters.parents}'`,
        `insert into ${world.counters.children}
           (${own(world)}, ${world.counters.parent}, first_name, phone_number)
         select tests.id('a'), tests.id('a.dataset'), 'Lead', '+447700' || (902000 + n)
         from generate_series(1, 300) as n`,
        `select n_tup_upd - current_setting('tests.before')::bigint as writes
         from pg_stat_xact_user_tables where relname = '${world.counters.parents}'`,
      ],
    ({ rows }) => Number(rows[0]?.writes) > 1,
  ),
  special(
    "X7",
    "two live prompts on one dataset",
    "postgres",
    (world) => world.secondLivePrompt,
    touched,
  ),
  {
    id: "X8",
    title: "a viewer inserts into the own organization",
    by: "viewer",
    tries: each((table) => insert(table, "a")),
    works: touched,
  },
  special(
    "X8",
    "a viewer fools a definer helper with a temporary table",
    "viewer",
    (world) => world.shadow,
    touched,
  ),
  special(
    "X9",
    "a member does not see the own organization",
    "owner",
    ({ root }) => root && [`select 1 from ${root.table} where id = '${a}'`],
    (outcome) => !touched(outcome),
  ),
  special(
    "X9",
    "the plan has no column",
    "postgres",
    ({ root }) => root?.plan ? [`select ${root.plan} from ${root.table}`] : null,
    raised("42703"),
  ),
  special(
    "X11",
    "one number in two organizations",
    "postgres",
    ({ sameNumber }) => sameNumber ? [sameNumber] : null,
    touched,
  ),
  special(
    "X11",
    "a viewer reads a provider's token",
    "viewer",
    ({ readToken }) => readToken ? [readToken] : null,
    ({ rows }) => rows.some(({ token }) => token),
  ),
  special(
    "23",
    "accept an invitation to an address that only looks like the own",
    "postgres",
    ({ lookAlike }) => lookAlike,
    touched,
  ),
  special(
    "23",
    "own an organization as an anonymous user whose token does not say so",
    "postgres",
    ({ anonymousOwner }) => anonymousOwner,
    touched,
  ),
  special(
    "46",
    "learn from a reference that a row out of sight exists",
    "postgres",
    ({ outOfSight }) => outOfSight,
    touched,
  ),
  {
    id: "X12",
    title: "updated_at stays behind",
    by: "postgres",
    tries: ({ tables }) =>
      tables.filter(({ name }) => name === "agents").map(({ name, tenant, change }) => ({
        subject: name,
        statements: [
          `update ${name} set ${change} where ${tenant} = '${a}'`,
          `select 1 from information_schema.columns where table_name = '${name}' and column_name = 'updated_at'`,
          `select 1 from ${name} where ${tenant} = '${a}' and to_jsonb(${name}) ? 'updated_at'
             and (to_jsonb(${name}) ->> 'updated_at')::timestamptz is distinct from now()`,
        ],
      })),
    works: touched,
  },
  {
    id: "X12",
    title: "the owner cannot change an own row",
    by: "owner",
    tries: ({ tables, writes }) =>
      tables.filter(({ name }) => writes.includes(name)).map(({ name, tenant, change }) => ({
        subject: name,
        statements: [`update ${name} set ${change} where ${tenant} = '${a}'`],
      })),
    works: (outcome) => !touched(outcome),
  },
  stores("store in 100 bytes what everybody reads as a megabyte", "jsonb", [
    `'${NUMBERS}'`,
    `'{"k": ${NUMBERS}}'`,
  ]),
  stores("store a text of two megabytes", "text", ["repeat('x', 2000000)"]),
];
