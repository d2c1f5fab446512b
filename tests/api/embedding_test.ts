// Embedding: PostgREST joins along foreign keys, in both directions. Whatever is asked to come along, nothing of another
// tenant does. Generated from every foreign key between tables that are offered.
import assert from "node:assert/strict";
import {
  populate,
  raw,
  readable as readableColumns,
  secretsOf,
  tables,
  tenantColumn,
} from "./_catalogue.ts";
import { sql, tenant } from "./_client.ts";

interface Key {
  name: string;
  child: string;
  parent: string;
  /** Whether a client may read the columns that the join needs. */
  readable: boolean;
}

const keys = async () =>
  await sql((db) =>
    db<Key[]>`
      select k.conname::text as name, c.relname::text as child, p.relname::text as parent,
        (select bool_and(has_column_privilege('authenticated', k.conrelid, n, 'select')) from unnest(k.conkey) as n) as readable
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
      where k.contype = 'f' and c.relnamespace = 'public'::regnamespace and p.relnamespace = 'public'::regnamespace
        and c.relname not in ('plan_limits', 'plan_overrides') and p.relname <> 'plans'
      order by 1`
  );

Deno.test("no embedding brings another tenant's rows along", async (t) => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(a);
  await populate(b);
  const secrets = await secretsOf(a);
  const columns: Record<string, string> = {};
  for (const table of await tables()) columns[table] = await readableColumns(table);
  let rowsEmbedded = 0;
  for (const { name, child, parent, readable } of await keys()) {
    await t.step(name, async () => {
      const [inner, outer] = [columns[parent]!, columns[child]!];
      const paths = [
        `${child}?select=${outer},x:${parent}!${name}(${inner})`,
        `${child}?select=${outer},x:${parent}!${name}!inner(${inner})`,
        `${child}?select=${outer},x:${parent}!${name}!inner(${inner})&x.${
          tenantColumn(parent)
        }=eq.${a.id}`,
        `${child}?select=x:${parent}!${name}(${inner})&${tenantColumn(child)}=eq.${a.id}`,
        `${child}?select=...${parent}!${name}(x:${tenantColumn(parent)})`,
        `${parent}?select=${inner},x:${child}!${name}(${outer})`,
        `${parent}?select=${inner},x:${child}!${name}!inner(${outer})&x.${
          tenantColumn(child)
        }=neq.${b.id}`,
        `${parent}?select=${inner},x:${child}!${name}(${outer},y:${parent}!${name}(${inner}))`,
        `${child}?select=${outer},x:${parent}!${name}(${inner})&or=(${
          tenantColumn(child)
        }.eq.${a.id},${tenantColumn(child)}.not.is.null)`,
      ];
      for (const path of paths) {
        // A key to oneself reads both ways and PostgREST wants to know which; either way nothing leaks.
        const mine = await raw(b.owner, path, {}, { "x-organization-id": b.id });
        if (child !== parent) {
          assert.equal(mine.status, readable ? 200 : 403, `${path} ${mine.text}`);
        }
        if (/"x":(\{|\[\{)/.test(mine.text)) rowsEmbedded++;
        const pretending = await raw(b.owner, path, {}, { "x-organization-id": a.id });
        for (const { text } of [mine, pretending]) {
          for (const secret of secrets) {
            assert.ok(
              !text.includes(secret) || path.includes(secret) && !text.startsWith("["),
              `${path} answers ${secret}`,
            );
          }
        }
      }
    });
  }
  assert.ok(rowsEmbedded > 40, `own rows do come along: ${rowsEmbedded}`);
});

Deno.test("an exact count of another tenant's rows is zero, and aggregates are off", async (t) => {
  const [a, b] = [await tenant(), await tenant()];
  await populate(a);
  for (const table of await tables()) {
    await t.step(table, async () => {
      const column = tenantColumn(table);
      const wanted = table === "profiles" ? a.owner.id : a.id;
      const count = (person: typeof a.owner) =>
        raw(person, `${table}?select=${column}&${column}=eq.${wanted}`, { method: "HEAD" }, {
          prefer: "count=exact",
        });
      assert.equal((await count(b.owner)).range, "*/0");
      assert.match((await count(a.owner)).range ?? "", /^0-\d+\/[1-9]/, "the owner counts some");
      const sum = await raw(b.owner, `${table}?select=count()`);
      assert.deepEqual([sum.status, JSON.parse(sum.text).code], [400, "PGRST123"]);
    });
  }
});
