// What the API offers at all: one schema, the listed functions, and to anon nothing.
import assert from "node:assert/strict";
import { populate, raw, rpcs, tables } from "./_catalogue.ts";
import { sql, tenant } from "./_client.ts";

Deno.test("every schema but public is refused, for reading and for calling", async () => {
  const a = await tenant();
  const schemas =
    (await sql((db) =>
      db`select nspname::text as name from pg_namespace where nspname <> 'public' and nspname !~ '^pg_(toast|temp)'`
    )).map(({ name }) => name as string);
  assert.ok(
    ["switchboard", "private", "auth", "extensions", "pg_catalog"].every((one) =>
      schemas.includes(one)
    ),
  );
  for (const schema of schemas) {
    for (const person of [a.owner, null]) {
      const read = await raw(person, "leads", {}, { "accept-profile": schema });
      const call = await raw(person, "rpc/whoami", { method: "POST", body: "{}" }, {
        "content-profile": schema,
      });
      const write = await raw(person, "leads", { method: "POST", body: "{}" }, {
        "content-profile": schema,
      });
      for (const answer of [read, call, write]) {
        assert.deepEqual([answer.status, JSON.parse(answer.text).code], [406, "PGRST106"], schema);
      }
    }
  }
});

Deno.test("a function that is not an RPC of public cannot be called: 404", async () => {
  const a = await tenant();
  const offered = (await rpcs()).map(({ name }) => name);
  // Everything of our and the platform's schemas, and of PostgreSQL's own what has effects.
  const names =
    (await sql((db) =>
      db`select distinct proname::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where (n.nspname not in ('pg_catalog', 'information_schema') or p.provolatile = 'v' or p.proname ~ '^(pg_read|lo_|set_config|current_setting|query_to_xml)')
         and proname ~ '^[a-z_0-9]+$'
       order by 1`
    )).map(({ name }) => name as string).filter((name) => !offered.includes(name));
  for (
    const name of [
      "exec_sql",
      "set_config",
      "pg_read_file",
      "organization_for",
      "unseal",
      "guard_identity",
      "update_updated_at_column",
      "query_to_xml",
    ]
  ) {
    if (!offered.includes(name) && !names.includes(name)) names.push(name);
  }
  assert.ok(names.length > 300, `${names.length} functions`);
  let next = 0;
  const work = async () => {
    while (next < names.length) {
      const name = names[next++]!;
      const post = await raw(a.owner, `rpc/${name}`, { method: "POST", body: "{}" });
      assert.deepEqual([post.status, JSON.parse(post.text).code], [404, "PGRST202"], name);
      const get = await raw(a.owner, `rpc/${name}`);
      assert.equal(get.status, 404, name);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
});

Deno.test("the API's description lists no table and no function to anon", async () => {
  const a = await tenant();
  await populate(a);
  const description = async (person: typeof a.owner | null) =>
    JSON.parse((await raw(person, "")).text) as {
      paths: Record<string, unknown>;
      definitions?: Record<string, unknown>;
    };
  const nobody = await description(null);
  assert.deepEqual(Object.keys(nobody.paths), ["/"]);
  assert.deepEqual(Object.keys(nobody.definitions ?? {}), []);
  const somebody = await description(a.owner);
  assert.ok(Object.keys(somebody.paths).includes("/leads"), "a member's does");
  const server =
    (await sql((db) =>
      db`select p.proname::text as name from pg_proc p where p.pronamespace = 'public'::regnamespace
       and not has_function_privilege('authenticated', p.oid, 'execute')`
    )).map(({ name }) => name as string);
  assert.ok(server.includes("route_inbound_call"));
  for (const name of server) {
    assert.ok(!(`/rpc/${name}` in somebody.paths), `${name} is for server code`);
  }
});

Deno.test("without an API key, and with a key of another stack, nothing is answered", async () => {
  for (const table of await tables()) {
    for (const headers of [{ apikey: "" }, { apikey: "x" }] as const) {
      assert.equal((await raw(null, table, {}, headers)).status, 401, table);
    }
    break;
  }
  const a = await tenant();
  const forged = a.owner.token.replace(/\.[^.]*$/, ".AAAA");
  const unsigned = `${btoa('{"alg":"none","typ":"JWT"}').replaceAll("=", "")}.${
    a.owner.token.split(".")[1]
  }.`;
  for (const token of [forged, unsigned]) {
    const answer = await raw({ ...a.owner, token }, "leads?select=id");
    assert.equal(answer.status, 401, answer.text);
  }
});
