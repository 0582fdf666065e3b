import { sql } from "drizzle-orm";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { anyRow } from "../db/any-row.js";
import { selectRows } from "../db/select-rows.js";
import { texts } from "../db/sql-arrays.js";
import type { LoggedEvent } from "./event-log.js";

/** What a caller with narrower grants may know of an event: the event without names that are out of reach, or null for nothing of it. */
export type SeesEvent = (event: LoggedEvent) => Promise<LoggedEvent | null>;

/** What was seen a moment ago is not asked for again; what a caller may see changes seldom, and never faster than this. */
const KNOWN_FOR_MS = 1_000;
const MAX_KNOWN = 5_000;

/** The views that a subject is looked up in. An event about anything else is about the deployment, and hidden. */
const subjects: { readonly [kind: string]: string } = {
  integration: "integration",
  system: "system",
  endpoint: "endpoint",
  job: "job",
  window: "maintenance_window",
  team: "team",
  objective: "objective",
  threshold: "threshold",
  "anomaly-rule": "anomaly_rule",
};

/** What events of windows name beside the window: whoever does not see that thing sees nothing of the event either. */
const named: { readonly [field: string]: "endpoint" | "window" } = { endpoint: "endpoint", change: "window", freeze: "window" };

/** Events in reach: about an integration that the caller sees, or about a thing that it sees. `seen` is the database as the caller sees it. */
export function visibleEvents(seen: Database): SeesEvent {
  const known = new Map<string, { readonly at: number; readonly answer: Promise<boolean> }>();
  const ask = async (kind: string, key: string): Promise<boolean> => {
    if (kind === "hold") return anyRow(seen.db, sql`hold where id = ${Number(key)}::bigint`);
    if (kind === "incident") return anyRow(seen.db, sql`incident where id = ${Number(key)}::bigint`);
    if (kind === "problem") return anyRow(seen.db, sql`problem where id = ${Number(key)}::integer`);
    const table = Object.hasOwn(subjects, kind) ? subjects[kind] : undefined;
    return table !== undefined && anyRow(seen.db, sql`${sql.identifier(table)} where key = ${key}`);
  };
  const asked = (kind: string, key: string): Promise<boolean> => {
    const name = `${kind}:${key}`;
    const at = clock.monotonicMs();
    const before = known.get(name);
    if (before !== undefined && at - before.at < KNOWN_FOR_MS) return before.answer;
    if (known.size >= MAX_KNOWN) known.clear();
    const answer = ask(kind, key);
    known.set(name, { at, answer });
    answer.catch(() => known.delete(name));
    return answer;
  };
  return async (event) => {
    const { integrationKey, subjectKind, subjectKey, payload } = event;
    if (!(await (integrationKey === null ? asked(subjectKind, subjectKey) : asked("integration", integrationKey)))) return null;
    if (subjectKind === "window")
      for (const [field, kind] of Object.entries(named)) {
        const key = payload[field];
        if (typeof key === "string" && !(await asked(kind, key))) return null;
      }
    return "scope" in payload || "systems" in payload ? { ...event, payload: { ...payload, ...(await inReach(seen, payload)) } } : event;
  };
}

/** A scope, and a list of systems, without the keys that the caller does not see. */
async function inReach(seen: Database, { scope, systems }: LoggedEvent["payload"]): Promise<LoggedEvent["payload"]> {
  const keys = Array.isArray(systems) ? systems.filter((key) => typeof key === "string") : [];
  const isScope = typeof scope === "object" && scope !== null;
  const [row] = await selectRows<{ scope: unknown; systems: readonly string[] }>(
    seen.db,
    sql`select visible.scope_of(${JSON.stringify(isScope ? scope : {})}::text::jsonb) as scope,
      array(select s.key from unnest(${texts(keys)}) with ordinality as u(key, n) join system as s on s.key = u.key order by u.n) as systems`,
  );
  return { ...(isScope ? { scope: row?.scope ?? {} } : {}), ...(Array.isArray(systems) ? { systems: row?.systems ?? [] } : {}) };
}
