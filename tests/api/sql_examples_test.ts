// README.md and docs/phone.md: every statement with an answer behind it gives that answer, and README's blocks of SQL
// run in their order.
import assert from "node:assert/strict";
import { sql, tenant } from "./_client.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
const blocks = (page: string) =>
  [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, block]) => block!);

/** Lines of sql blocks: a statement, and after `-- ` its one value or its SQLSTATE. */
const answered = (page: string) =>
  blocks(page).flatMap((block) => block.split("\n"))
    .map((line) => line.match(/^(select .*); +-- (.*)$/))
    .filter((match) => match !== null)
    .map(([, statement, answer]) => ({ statement: statement!, answer: answer! }));

const readme = await read("README.md");
const phone = await read("docs/phone.md");

Deno.test("the pages have examples", () => {
  assert.ok(answered(phone).length > 20, `${answered(phone).length}`);
  assert.ok(answered(readme).length > 2, `${answered(readme).length}`);
  assert.ok(blocks(readme).length > 3, `${blocks(readme).length}`);
});

for (const [page, text] of Object.entries({ "docs/phone.md": phone, "README.md": readme })) {
  for (const { statement, answer } of answered(text)) {
    Deno.test(`${page}: ${statement}`, async () => {
      const found = await sql(async (db) => {
        try {
          const rows = await db.unsafe(statement).values();
          assert.equal(rows.length, 1);
          return rows[0]!.map((value) => value === null ? "NULL" : String(value)).join(" | ");
        } catch (error) {
          if (error instanceof Error && "code" in error) return `error ${error.code}`;
          throw error;
        }
      });
      assert.equal(found, answer);
    });
  }
}

Deno.test("README.md: its table of orders is a tenant's, and counted", async () => {
  const { id, owner } = await tenant();
  const undo = new Error("undo");
  const told = sql((db) =>
    db.begin(async (tx) => {
      for (const block of blocks(readme)) await tx.unsafe(block);
      const [dataset] = await tx`
        insert into public.datasets (organization_id, name) values (${id}, 'List') returning id`;
      const claims = { sub: owner.id, role: "authenticated", email: owner.email };
      const exp = Math.floor(Date.now() / 1000) + 3600;
      await tx`select set_config('request.jwt.claims', ${
        JSON.stringify({ ...claims, exp })
      }, true)`;
      await tx`set local role authenticated`;
      await tx`insert into public.orders (dataset_id, title, done)
        values (${dataset!.id}, 'One', false), (${dataset!.id}, 'Two', true)`;
      const orders = await tx`select title from public.orders order by title`;
      assert.deepEqual(orders.map((row) => row.title), ["One", "Two"]);
      const [counted] = await tx`select total_orders, open_orders from public.datasets`;
      assert.deepEqual({ ...counted }, { total_orders: 2, open_orders: 1 });
      await tx`select set_config('request.jwt.claims', ${
        JSON.stringify({ ...claims, sub: crypto.randomUUID(), exp })
      }, true)`;
      assert.equal((await tx`select from public.orders`).length, 0);
      throw undo;
    })
  );
  await assert.rejects(told, undo);
});
