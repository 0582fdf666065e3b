import { isRecurring, recurringWithinMs } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, type NewEvent } from "../events/append-events.js";
import { addEntries } from "./entries.js";

/**
 * Links an incident that just began, or got another root, to the problem of that root: the open one, or a new one when its root had several within
 * thirty days. What a person linked or unlinked stays as it is, and is none of the several.
 */
export async function linkProblem(
  tx: Tx,
  incident: {
    readonly incidentId: number;
    readonly rootNode: string;
    readonly systemId: number | null;
    readonly title: string;
    readonly now: number;
  },
): Promise<void> {
  const { incidentId, rootNode, systemId, title, now } = incident;
  const [placed] = await tx.execute(sql`select from incident where id = ${incidentId}::bigint and problem_placed_by is not null`);
  if (placed !== undefined) return;
  const [known] = await tx.execute<{ id: number }>(sql`select id from problem where root_node = ${rootNode} and closed_at is null`);
  const problemId = known?.id ?? (await raise(tx, { rootNode, systemId, title, now }));
  if (problemId === null) return;
  await tx.execute(sql`
    update incident set problem_id = ${problemId} where root_node = ${rootNode} and problem_id is null and problem_placed_by is null
      and opened_at > ${now - recurringWithinMs}::timestamptz and state <> 'merged'`);
  await tx.execute(sql`update problem set changed_at = ${now}::timestamptz where id = ${problemId}`);
  await addEntries(tx, { actor: systemActor, now }, [
    { incidentId, kind: "problem", text: `It came again and again at ${rootNode}: problem ${problemId}.`, data: { problem: problemId } },
  ]);
  await appendEvents(tx, [
    {
      kind: "incident.problem-linked",
      subjectKind: "incident",
      subjectKey: String(incidentId),
      payload: { problem: String(problemId), root: rootNode },
    },
    ...(known === undefined ? [problemEvent(problemId, "problem.opened", { title, root: rootNode })] : []),
    problemEvent(problemId, "problem.linked", { incident: String(incidentId), root: rootNode }),
  ]);
}

async function raise(
  tx: Tx,
  {
    rootNode,
    systemId,
    title,
    now,
  }: { readonly rootNode: string; readonly systemId: number | null; readonly title: string; readonly now: number },
): Promise<number | null> {
  const rows = await tx.execute<{ openedAt: number }>(sql`
    select opened_at as "openedAt" from incident where root_node = ${rootNode} and state <> 'merged' and problem_placed_by is null
      and opened_at > ${now - recurringWithinMs}::timestamptz`);
  const openings = rows.map(({ openedAt }) => openedAt);
  if (!isRecurring(openings, now)) return null;
  const [made] = await tx.execute<{ id: number }>(sql`
    insert into problem (title, root_node, system_id, opened_at, changed_at)
    values (${title}, ${rootNode}, ${systemId}::integer, ${now}::timestamptz, ${now}::timestamptz) returning id`);
  return made?.id ?? null;
}

/** Something about a problem, for those who follow problems. */
export function problemEvent(problem: number, kind: `problem.${string}`, payload: NonNullable<NewEvent["payload"]>): NewEvent {
  return { kind, subjectKind: "problem", subjectKey: String(problem), payload };
}
