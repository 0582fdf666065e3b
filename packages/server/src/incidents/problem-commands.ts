import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import { appendEvents } from "../events/append-events.js";
import { requireText } from "./commands.js";
import { problemEvent } from "./problems.js";
import type { ProblemView } from "./queries.js";

interface Found {
  readonly [column: string]: unknown;
  readonly state: ProblemView["state"];
  readonly cause: string | null;
  readonly workaround: string | null;
}

/** Writes down what is known of a problem; null stays as it is. A closed one is opened by no later incident: that begins a new one. Throws QSC_PROBLEM_NOT_FOUND, QSC_PROBLEM_OPEN and QSC_INCIDENT_REASON. */
export function updateProblem(
  context: CommandContext,
  input: { readonly id: number; readonly reason: string } & { readonly [field in "cause" | "workaround"]: string | null } & {
    readonly state: ProblemView["state"] | null;
  },
): Promise<void> {
  const reason = requireText(input.reason, "reason");
  const { id } = input;
  return inTransaction(context, async (tx) => {
    const [before] = await tx.execute<Found & { root: string }>(
      sql`select state, cause, workaround, root_node as root from problem where id = ${id}::bigint for update`,
    );
    if (before === undefined)
      throw new DomainError("QSC_PROBLEM_NOT_FOUND", `There is no problem ${id}. List them: quiesce problems list.`, { field: "key" });
    const state = input.state ?? before.state;
    if (before.state === "closed" && state !== "closed") {
      const others = await tx.execute(sql`select from problem where root_node = ${before.root} and closed_at is null`);
      if (others.length > 0)
        throw new DomainError("QSC_PROBLEM_OPEN", `Another problem of ${before.root} is open. Work on that one.`, { field: "state" });
    }
    const cause = input.cause === null ? before.cause : requireText(input.cause, "text");
    const workaround = input.workaround === null ? before.workaround : requireText(input.workaround, "text");
    const now = await readNow(tx);
    await tx.execute(sql`
      update problem set state = ${state}, cause = ${cause}, workaround = ${workaround}, changed_at = ${now}::timestamptz,
        closed_at = case when ${state} = 'closed' then coalesce(closed_at, ${now}::timestamptz) end where id = ${id}::integer`);
    const after = { state, cause, workaround };
    const was = { state: before.state, cause: before.cause, workaround: before.workaround };
    await recordAudit(tx, {
      actor: context.actor,
      action: "problem.update",
      subjectKind: "problem",
      subjectKey: String(id),
      reason,
      before: was,
      after,
    });
    const rows = await tx.execute<{ id: number }>(
      sql`select max(id) as id from incident where problem_id = ${id}::integer having max(id) is not null`,
    );
    await appendEvents(tx, [
      ...rows.map((row) => ({
        kind: "incident.problem-updated",
        subjectKind: "incident" as const,
        subjectKey: String(row.id),
        payload: { problem: String(id), state },
      })),
      problemEvent(id, "problem.updated", { state, by: context.actor.name }),
    ]);
  });
}
