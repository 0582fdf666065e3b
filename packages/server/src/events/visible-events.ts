import { sql } from "drizzle-orm";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { anyRow } from "../db/any-row.js";
import type { LoggedEvent } from "./event-log.js";

/** Tells of an event whether a caller with narrower grants may know of it. */
export type SeesEvent = (event: Pick<LoggedEvent, "integrationKey" | "subjectKind" | "subjectKey">) => Promise<boolean>;

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
};

/** Events in reach: about an integration that the caller sees, or about a thing that it sees. `seen` is the database as the caller sees it. */
export function visibleEvents(seen: Database): SeesEvent {
  const known = new Map<string, { readonly at: number; readonly answer: Promise<boolean> }>();
  const ask = async (kind: string, key: string): Promise<boolean> => {
    if (kind === "hold") return anyRow(seen.db, sql`hold where id = ${Number(key)}::bigint`);
    if (kind === "incident") return anyRow(seen.db, sql`incident where id = ${Number(key)}::bigint`);
    const table = Object.hasOwn(subjects, kind) ? subjects[kind] : undefined;
    return table !== undefined && anyRow(seen.db, sql`${sql.identifier(table)} where key = ${key}`);
  };
  return ({ integrationKey, subjectKind, subjectKey }) => {
    const [kind, key] = integrationKey === null ? [subjectKind, subjectKey] : ["integration", integrationKey];
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
}
