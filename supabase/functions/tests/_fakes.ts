// Deps for handlers under test: a database that is a function, and the log that it leaves.
import { clients, type Deps, type LogEntry } from "../_shared/deps.ts";

/** Where the fake database seems to be, and its keys. */
export const DATABASE = { url: "http://database.example", anonKey: "anon", serviceKey: "service" };

/** Deps whose clients ask `fetch`, and what was logged. */
export function withDatabase(fetch: typeof globalThis.fetch, more: Partial<Deps> = {}) {
  const logged: LogEntry[] = [];
  const deps: Deps = {
    ...clients(DATABASE.url, DATABASE.anonKey, DATABASE.serviceKey, fetch),
    functionsUrl: "https://switchboard.example/functions/v1",
    allowedOrigins: ["*"],
    budgetMs: 2_000,
    log: (entry) => logged.push(entry),
    ...more,
  };
  return { deps, logged };
}

/** A database that must not be asked. */
export const untouched = () => {
  throw new Error("the database was asked");
};
