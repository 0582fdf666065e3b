import { DomainError } from "../domain-error.js";
import { canonicalScope, type WindowScope } from "../catalog/window-scope.js";
import { equalJson } from "../catalog/sorted-json.js";
import { nominalLengthMs, parseDuration } from "../time/duration.js";
import { parseLocal } from "../time/local-time.js";
import type { ApprovalPolicy } from "./approval-policy.js";
import type { WindowMode } from "./window-input.js";
import type { WindowKind } from "./window-kinds.js";
import type { WindowSeries } from "./window-series.js";

export const approvalStates = ["pending", "approved", "rejected"] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** One policy that a window falls under, as it stood when the approval was asked for. */
export interface NeededApproval {
  readonly policy: string;
  readonly by: readonly string[];
  readonly ownAllowed: boolean;
}

/** Somebody's word on a window; instants are epoch ms. */
export interface GivenApproval {
  readonly policy: string;
  readonly by: string;
  readonly at: number;
  readonly comment: string | null;
}

/** The approval of a window that needs one. Only an approved window holds. */
export interface WindowApproval {
  readonly state: ApprovalState;
  readonly requestedBy: string;
  readonly requestedAt: number;
  /** Every policy must be satisfied. */
  readonly needed: readonly NeededApproval[];
  readonly given: readonly GivenApproval[];
  readonly rejected: Omit<GivenApproval, "policy"> | null;
}

/** What of a window is approved. */
export interface ApprovedPlan {
  readonly kind: WindowKind;
  readonly mode: WindowMode;
  readonly scope: WindowScope;
  readonly series: WindowSeries;
}

/** How long an occurrence lasts on the clock, or null where the text cannot be read. */
function nominalMs(series: WindowSeries): number | null {
  if (series.duration !== undefined) {
    const duration = parseDuration(series.duration);
    return duration === null ? null : nominalLengthMs(duration);
  }
  const start = parseLocal(series.start);
  const end = series.end === undefined ? null : parseLocal(series.end);
  return start === null || end === null ? null : end - start;
}

/** The series without how long it lasts, in one form. */
function timesOf(series: WindowSeries): unknown {
  const { end: _end, duration: _duration, rrule, exdates = [], rdates = [], dstPolicy = "cover", ...rest } = series;
  return { ...rest, rrule: rrule ?? null, exdates: exdates.toSorted(), rdates: rdates.toSorted(), dstPolicy };
}

/**
 * Whether an edit changes what was approved: another kind, scope or series, a longer occurrence, or the step from observing to enforcing. A shorter
 * occurrence, a title, an owner, a reason and the step back to observing need nobody's word.
 */
export function needsApprovalAgain(before: ApprovedPlan, after: ApprovedPlan): boolean {
  if (before.kind !== after.kind || (before.mode === "observe" && after.mode === "enforce")) return true;
  if (!equalJson(canonicalScope(before.scope), canonicalScope(after.scope))) return true;
  if (!equalJson(timesOf(before.series), timesOf(after.series))) return true;
  const was = nominalMs(before.series);
  const is = nominalMs(after.series);
  return was === null || is === null || is > was;
}

/** The approval of a window as it is saved: kept where the edit does not touch it, else asked for where a policy fits, else null. */
export function approvalOnSave(input: {
  readonly before: { readonly plan: ApprovedPlan; readonly approval: WindowApproval | null } | null;
  readonly after: ApprovedPlan;
  /** Those that fit `after`. */
  readonly policies: readonly ApprovalPolicy[];
  readonly actor: string;
  readonly now: number;
}): WindowApproval | null {
  const { before, policies } = input;
  const isTouched = before === null || before.approval?.state === "rejected" || needsApprovalAgain(before.plan, input.after);
  if (!isTouched) return before.approval;
  if (policies.length === 0) return null;
  return {
    state: "pending",
    requestedBy: input.actor,
    requestedAt: input.now,
    needed: policies.map(({ key, by, ownAllowed }) => ({ policy: key, by, ownAllowed })),
    given: [],
    rejected: null,
  };
}

const isNamed = (needed: NeededApproval, actor: string) => needed.by.length === 0 || needed.by.includes(actor);
const mayGive = (approval: WindowApproval, needed: NeededApproval, actor: string) =>
  isNamed(needed, actor) && (needed.ownAllowed || approval.requestedBy !== actor);

/** Whether this person's word alone stands for every policy: then they may also move one occurrence of what was approved. */
export function speaksForAll(approval: WindowApproval, actor: string): boolean {
  return approval.needed.every((needed) => mayGive(approval, needed, actor));
}

/**
 * The approval after somebody approved or rejected. An approval counts for every policy that names the person, and the window is approved when
 * all are satisfied; one rejection is enough. Throws DomainError QSC_WINDOW_NOT_PENDING, QSC_WINDOW_OWN_APPROVAL or QSC_WINDOW_APPROVER_NOT_NAMED.
 */
export function decideApproval(
  approval: WindowApproval | null,
  input: {
    readonly window: string;
    readonly actor: string;
    readonly decision: "approve" | "reject";
    readonly comment: string | null;
    readonly now: number;
  },
): WindowApproval {
  const { actor, comment, now } = input;
  if (approval === null || approval.state !== "pending") {
    const found = approval === null ? "needs no approval" : `is ${approval.state} already`;
    throw new DomainError("QSC_WINDOW_NOT_PENDING", `The window "${input.window}" ${found}. Change it to ask again, or cancel it.`, {
      field: "key",
    });
  }
  const open = approval.needed.filter((needed) => !approval.given.some((one) => one.policy === needed.policy));
  const mine = open.filter((needed) => mayGive(approval, needed, actor));
  if (mine.length === 0) throw refusalOf(approval, open, input);
  if (input.decision === "reject") return { ...approval, state: "rejected", rejected: { by: actor, at: now, comment } };
  const given = [...approval.given, ...mine.map(({ policy }) => ({ policy, by: actor, at: now, comment }))];
  return { ...approval, state: given.length === approval.needed.length ? "approved" : "pending", given };
}

function refusalOf(
  approval: WindowApproval,
  open: readonly NeededApproval[],
  { window, actor }: { readonly window: string; readonly actor: string },
): DomainError {
  const policies = open.map(({ policy }) => `"${policy}"`).join(", ");
  if (approval.requestedBy === actor && open.some((needed) => isNamed(needed, actor))) {
    return new DomainError(
      "QSC_WINDOW_OWN_APPROVAL",
      `"${actor}" asked for the window "${window}" and cannot approve it: the policy ${policies} wants somebody else's word.`,
      { field: "key" },
    );
  }
  const names = [...new Set(open.flatMap(({ by }) => by))];
  return new DomainError(
    "QSC_WINDOW_APPROVER_NOT_NAMED",
    `"${actor}" is not among those whose word the policy ${policies} wants for the window "${window}": ${names.join(", ")}.`,
    { field: "key" },
  );
}
