import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { incidentRefused, lockIncidents, noteDeed, requireText } from "./commands.js";
import { problemEvent } from "./problems.js";

/**
 * Says that an incident is one more time of a problem, whatever its root is and whether or not it is over. It stays so: what Quiesce finds later
 * changes no link that a person made. Throws QSC_INCIDENT_NOT_FOUND, _STATE for one that was merged, _PROBLEM where it is linked already, _REASON,
 * QSC_PROBLEM_NOT_FOUND and QSC_PROBLEM_CLOSED.
 */
export function linkIncidentToProblem(
  context: CommandContext,
  input: { readonly id: number; readonly problem: number; readonly reason: string },
): Promise<void> {
  const reason = requireText(input.reason, "reason");
  const { id, problem } = input;
  return inTransaction(context, async (tx) => {
    const linked = await lockLinked(tx, id);
    const [found] = await tx.execute<{ state: string }>(sql`select state from problem where id = ${problem}::bigint for update`);
    if (found === undefined)
      throw new DomainError("QSC_PROBLEM_NOT_FOUND", `There is no problem ${problem}. List them: quiesce problems list.`, {
        field: "problem",
      });
    if (linked === problem) throw incidentRefused("PROBLEM", `Incident ${id} is linked to problem ${problem} already.`, "problem");
    if (linked !== null) throw incidentRefused("PROBLEM", `Incident ${id} is linked to problem ${linked}. Unlink it first.`);
    if (found.state === "closed")
      throw new DomainError(
        "QSC_PROBLEM_CLOSED",
        `Problem ${problem} is closed: no incident is linked to it any more. Open it again first.`,
        { field: "problem" },
      );
    await place(tx, context, { id, problem, before: null, reason });
  });
}

/**
 * Takes an incident out of its problem: it had another cause. Quiesce does not link it again. Throws QSC_INCIDENT_NOT_FOUND, _STATE for one that was
 * merged, _PROBLEM where it is linked to none, and _REASON.
 */
export function unlinkIncidentFromProblem(context: CommandContext, input: { readonly id: number; readonly reason: string }): Promise<void> {
  const reason = requireText(input.reason, "reason");
  const { id } = input;
  return inTransaction(context, async (tx) => {
    const linked = await lockLinked(tx, id);
    if (linked === null) throw incidentRefused("PROBLEM", `Incident ${id} is linked to no problem, so there is nothing to take away.`);
    await place(tx, context, { id, problem: null, before: linked, reason });
  });
}

/** The problem of an incident, which is locked. */
async function lockLinked(tx: Tx, id: number): Promise<number | null> {
  const [incident] = await lockIncidents(tx, [id]);
  const [row] = await tx.execute<{ problem: number | null; into: number | null }>(
    sql`select problem_id as problem, merged_into as into from incident where id = ${id}::bigint`,
  );
  if (incident?.state === "merged")
    throw incidentRefused("STATE", `Incident ${id} was merged into ${row?.into ?? "another one"}. Link or unlink that one.`);
  return row?.problem ?? null;
}

async function place(
  tx: Tx,
  context: CommandContext,
  {
    id,
    problem,
    before,
    reason,
  }: { readonly id: number; readonly problem: number | null; readonly before: number | null; readonly reason: string },
): Promise<void> {
  const now = await readNow(tx);
  const text = (one: number | null): string | null => (one === null ? null : String(one));
  await tx.execute(
    sql`update incident set problem_id = ${problem}::integer, problem_placed_by = ${context.actor.name} where id = ${id}::bigint`,
  );
  await tx.execute(sql`update problem set changed_at = ${now}::timestamptz where id = ${problem ?? before}::integer`);
  const isLink = problem !== null;
  await noteDeed(tx, context, {
    incidentId: id,
    action: isLink ? "incident.link" : "incident.unlink",
    event: isLink ? "incident.problem-linked" : "incident.problem-unlinked",
    kind: "problem",
    text: isLink ? `Linked to problem ${problem}.` : `Taken out of problem ${before}.`,
    reason,
    before: { problem: text(before) },
    after: isLink ? { problem: text(problem) } : { problem: null, was: text(before) },
    now,
  });
  const about = problem ?? before;
  if (about !== null)
    await appendEvents(tx, [
      problemEvent(about, isLink ? "problem.linked" : "problem.unlinked", { incident: String(id), by: context.actor.name }),
    ]);
}
