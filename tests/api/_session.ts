// Database sessions that act as a signed-in user, one statement at a time: for what only two connections
// at once can show. PostgREST runs one transaction a request; here a test decides when each commits.
import { type Person, setting } from "./_client.ts";
import { postgres } from "./_postgres.ts";

export type Isolation = "read committed" | "repeatable read";

/** What a statement did: its one value, or the SQLSTATE and message of its refusal. */
export interface Outcome {
  value?: unknown;
  code?: string;
  message?: string;
}

/** Makes the rest of a transaction `person`'s, as PostgREST begins it. */
export async function actAs(db: postgres.ISql, person: Person, organization: string) {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const claims = { sub: person.id, role: "authenticated", email: person.email, exp };
  const headers = { "x-organization-id": organization };
  await db`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
    set_config('request.headers', ${JSON.stringify(headers)}, true),
    set_config('role', 'authenticated', true)`;
}

export class Session {
  private constructor(private db: postgres.Sql, readonly pid: number) {}

  /** A transaction as `person`, as PostgREST would begin it; `null` is the tables' owner. */
  static async begin(
    person: Person | null,
    organization: string,
    isolation: Isolation = "read committed",
  ): Promise<Session> {
    const db = postgres(setting("DATABASE_URL"), { max: 1, onnotice: () => {} });
    await db.unsafe(`begin isolation level ${isolation}`);
    const [row] = await db`select pg_backend_pid() as pid`;
    if (person) await actAs(db, person, organization);
    return new Session(db, row?.pid);
  }

  /** Runs a statement; its refusal is an answer, not an exception. */
  async run(statement: string, parameters: (string | null)[] = []): Promise<Outcome> {
    try {
      const rows = await this.db.unsafe(statement, parameters);
      return { value: rows[0] && Object.values(rows[0])[0] };
    } catch (error) {
      const { code, message } = error as postgres.PostgresError;
      return { code, message };
    }
  }

  /** Returns when this session waits for a lock; fails when `statement` ends without having waited. */
  async waits(statement: Promise<Outcome>): Promise<void> {
    let outcome: Outcome | undefined;
    statement.then((ended) => outcome = ended);
    const watcher = postgres(setting("DATABASE_URL"), { max: 1 });
    try {
      for (;;) {
        const [row] = await watcher`select cardinality(pg_blocking_pids(${this.pid})) > 0 as yes`;
        if (row?.yes) return;
        if (outcome) throw new Error(`did not wait: ${JSON.stringify(outcome)}`);
      }
    } finally {
      await watcher.end();
    }
  }

  /** Commits (a failed transaction rolls back) and closes the connection. */
  async commit(): Promise<void> {
    await this.db.unsafe("commit");
    await this.db.end();
  }
}
