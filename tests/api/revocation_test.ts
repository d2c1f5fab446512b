// What another connection commits counts from the next statement on, inside a transaction that has already been answered,
// and nothing of a request outlives its transaction.
import assert from "node:assert/strict";
import { join, member, type Person, person, sql, type Tenant, tenant } from "./_client.ts";
import type { postgres } from "./_postgres.ts";

/** The same connection in a transaction, as PostgREST sets it up for one request. */
async function request<T>(
  db: postgres.Sql,
  someone: Person,
  work: (tx: postgres.TransactionSql) => Promise<T>,
  claims: Record<string, unknown> = {},
): Promise<T> {
  const token = { sub: someone.id, role: "authenticated", ...claims };
  return await db.begin(async (tx) => {
    await tx`select set_config('request.jwt.claims', ${JSON.stringify(token)}, true),
      set_config('request.headers', '', true), set_config('role', 'authenticated', true)`;
    return await work(tx);
  }) as T;
}

/** Which of three capabilities the caller holds, and how many organizations. */
async function rights(tx: postgres.ISql): Promise<string> {
  const rows = await tx`select concat_ws(' ',
    case when switchboard.organization_for('leads.read') is not null then 'read' end,
    case when switchboard.organization_for('leads.write') is not null then 'write' end,
    cardinality(switchboard.organization_ids())) as rights`;
  return rows[0]?.rights;
}

const CHANGES: Record<string, [string, (db: postgres.Sql, a: Tenant, someone: Person) => unknown]> =
  {
    "suspended": ["0", (db, a, { id }) =>
      db`update public.memberships set status = 'suspended'
         where organization_id = ${a.id} and user_id = ${id}`],
    "removed": [
      "0",
      (db, a, { id }) =>
        db`delete from public.memberships where organization_id = ${a.id} and user_id = ${id}`,
    ],
    "downgraded": ["read 1", (db, a, { id }) =>
      db`update public.memberships set role = 'viewer'
         where organization_id = ${a.id} and user_id = ${id}`],
    "deprived of one right": [
      "read 1",
      (db, a, { id }) =>
        db`update public.memberships set permissions = '{"leads.write": false}'
         where organization_id = ${a.id} and user_id = ${id}`,
    ],
    "expired": ["0", (db, a, { id }) =>
      db`update public.memberships set expires_at = now()
         where organization_id = ${a.id} and user_id = ${id}`],
    "in a paused organization": [
      "read 1",
      (db, a) => db`update public.organizations set status = 'paused' where id = ${a.id}`,
    ],
  };

Deno.test("a right that goes is gone at the next statement of a running transaction", async (t) => {
  for (const [title, [after, change]] of Object.entries(CHANGES)) {
    await t.step(title, async () => {
      const a = await tenant();
      const someone = await member(a, "manager");
      await sql((db) =>
        request(db, someone, async (tx) => {
          assert.equal(await rights(tx), "read write 1");
          await sql((other) => Promise.resolve(change(other, a, someone)));
          assert.equal(await rights(tx), after);
        })
      );
    });
  }
});

Deno.test("a closed support session is over at the next statement", async () => {
  const a = await tenant();
  const admin = await person();
  await sql(async (db) => {
    await db`insert into private.platform_admins (user_id) values (${admin.id})`;
    await db`insert into public.support_sessions (organization_id, admin_id, reason, capabilities, expires_at)
      values (${a.id}, ${admin.id}, 'test', '{leads.read}', now() + interval '1 hour')`;
  });
  const close = () =>
    sql((db) =>
      db`update public.support_sessions set closed_at = now() where admin_id = ${admin.id}`
    );
  await sql((db) =>
    request(db, admin, async (tx) => {
      assert.equal(await rights(tx), "read 0");
      await close();
      assert.equal(await rights(tx), "0");
    }, { aal: "aal2" })
  );
});

Deno.test("an expiry counts within one snapshot: time passes, the tables do not change", async () => {
  const a = await tenant();
  const someone = await member(a, "manager");
  await sql(async (db) => {
    await sql((other) =>
      other`update public.memberships set expires_at = clock_timestamp() + interval '2 seconds'
        where organization_id = ${a.id} and user_id = ${someone.id}`
    );
    await request(db, someone, async (tx) => {
      assert.equal(await rights(tx), "read write 1");
      // Asks until the expiry has passed; if it never counted this would not end, so a minute bounds it.
      const end = Date.now() + 60_000;
      let answer = "";
      while (answer !== "0" && Date.now() < end) answer = await rights(tx);
      assert.equal(answer, "0");
    });
  });
});

Deno.test("a request leaves nothing to the next transaction of its connection", async () => {
  const [a, b] = [await tenant(), await tenant()];
  const someone = await member(a, "manager");
  await join(b, someone, "viewer");
  const who = async (tx: postgres.ISql) => {
    const rows =
      await tx`select switchboard.user_id() as who, switchboard.organization_ids() as ids`;
    return [rows[0]?.who, rows[0]?.ids];
  };
  await sql(async (db) => {
    assert.equal((await request(db, someone, who))[0], someone.id);
    // set_config leaves an empty text behind, not NULL.
    const setting = await db`select current_setting('request.jwt.claims', true) as claims`;
    assert.equal(setting[0]?.claims, "");
    assert.deepEqual(await who(db), [null, []]);
    const nobody = await db.begin(async (tx) => {
      await tx`select set_config('role', 'authenticated', true)`;
      return await who(tx);
    });
    assert.deepEqual(nobody, [null, []]);
    await assert.rejects(
      request(db, someone, async (tx) => {
        await who(tx);
        await tx`select 1 / 0`;
      }),
      /division by zero/,
    );
    assert.deepEqual(await request(db, a.owner, who), [a.owner.id, [a.id]]);
  });
});
