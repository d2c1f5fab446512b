// Six members do everything at once that opts people out, lets them in again, brings and forgets them: no statement waits
// for another that waits for it, and afterwards nobody who opted out may be written to.
import assert from "node:assert/strict";
import { ok, service, setting, sql, tenant } from "./_client.ts";
import { postgres } from "./_postgres.ts";
import { actAs } from "./_session.ts";

/** What a statement may answer here: a step that there is not, a second opt-out, a lead that has gone, another import, leads that changed below one. */
const expected = ["23505", "23514", "PT404", "PT409"];

Deno.test("opt-outs, imports, erasures and changes of status at once: no deadlock, nobody escapes", async () => {
  const a = await tenant();
  await service().from("organizations").update({ plan: "professional" }).eq("id", a.id);
  const [first, second] = await Promise.all(
    ["First", "Second"].map(async (name) =>
      ok(await a.as.from("datasets").insert({ name }).select("id").single()).id
    ),
  );
  const number = () => `+4477009000${String(Math.floor(Math.random() * 30)).padStart(2, "0")}`;
  const dataset = () => (Math.random() < 0.5 ? first : second)!;
  // Any of a number's leads: it may have one in each dataset.
  const lead = `(select id from public.leads where phone_number = $1 order by random() limit 1)`;
  const kinds: (() => [string, string[]])[] = [
    () => [
      `insert into public.leads (dataset_id, first_name, phone_number) values ($2, 'L', $1)`,
      [number(), dataset()],
    ],
    () => [
      `select public.import_leads($2, jsonb_build_array(jsonb_build_object('first_name', 'I', 'phone_number', $1::text)),
         '{"required_fields": []}')`,
      [number(), dataset()],
    ],
    () => [
      `insert into public.suppressions (phone_number, reason) values ($1, 'keyword')`,
      [number()],
    ],
    () => [`insert into public.suppressions (phone_number) values ($1)`, [number()]],
    () => [
      `insert into public.suppressions (phone_number, reason) values ($1, 'complaint'), ($2, 'complaint')`,
      [number(), number()],
    ],
    () => [
      `select public.import_leads($2, (select jsonb_agg(jsonb_build_object('first_name', 'M', 'phone_number', '+4477009000' || lpad(n::text, 2, '0'), 'notes', $1::text))
         from generate_series(0, 29) as n), '{"required_fields": [], "duplicate_action": "merge"}')`,
      [number(), dataset()],
    ],
    () => [`select public.record_opt_in($1, 'START')`, [number()]],
    () => [
      `select public.lift_suppression((select id from public.suppressions
         where phone_number = $1 and lifted_at is null order by random() limit 1), 'mistake')`,
      [number()],
    ],
    () => [`select public.set_lead_status(${lead}, 'HOT')`, [number()]],
    () => [`select public.set_lead_status(${lead}, 'REMOVED')`, [number()]],
    () => [`select public.erase_person(phone_number => $1)`, [number()]],
    () => [
      // Not of one that is REMOVED: that opts out a second number behind the lead's own lock, and may answer 40P01.
      `update public.leads set phone_number = $2 where id = ${lead} and contact_status <> 'REMOVED'`,
      [number(), number()],
    ],
  ];
  const unexpected: string[] = [];
  const work = async () => {
    const db = postgres(setting("DATABASE_URL"), { max: 1, onnotice: () => {} });
    try {
      for (let i = 0; i < 120; i += 1) {
        const [statement, parameters] = kinds[Math.floor(Math.random() * kinds.length)]!();
        await db.begin(async (tx) => {
          await actAs(tx, a.owner, a.id);
          await tx.unsafe(statement, parameters);
        }).catch((error: { code?: string; message: string }) => {
          if (!expected.includes(error.code ?? "")) {
            unexpected.push(`${error.code} ${error.message}: ${statement}`);
          }
        });
      }
    } finally {
      await db.end();
    }
  };
  await Promise.all(Array.from({ length: 6 }, work));
  assert.deepEqual(unexpected, []);
  const escaped = await sql((db) =>
    db`select l.phone_number, l.contact_status from public.leads l
      where l.organization_id = ${a.id} and l.contact_status not in ('REMOVED', 'ARCHIVED')
        and l.phone_number in (select private.suppressed_numbers(l.organization_id, array[l.phone_number]))`
  );
  assert.deepEqual([...escaped], []);
  const wrong = await sql((db) =>
    db`select * from switchboard.verify_counts('public.leads') where key ->> 'organization_id' = ${a.id}`
  );
  assert.deepEqual([...wrong], []);
});
