// docs/phone.md: every example gives what the page says.
import assert from "node:assert/strict";
import { sql } from "./_client.ts";

const page = await Deno.readTextFile(new URL("../../docs/phone.md", import.meta.url));

/** Lines of its sql blocks: a statement, and after `-- ` its one value or its SQLSTATE. */
const examples = [...page.matchAll(/```sql\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => block!.split("\n"))
  .map((line) => line.match(/^(select .*); +-- (.*)$/))
  .filter((match) => match !== null)
  .map(([, statement, answer]) => ({ statement: statement!, answer: answer! }));

Deno.test("the page has examples", () => assert.ok(examples.length > 20, `${examples.length}`));

for (const { statement, answer } of examples) {
  Deno.test(statement, async () => {
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
