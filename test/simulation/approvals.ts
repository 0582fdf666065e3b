import type { WindowKind, WindowMode, WindowScope, WindowSeries } from "@quiesce/core";
import type { CommandContext } from "../../packages/server/src/command.js";
import { approveWindow, rejectWindow } from "../../packages/server/src/windows/approval-commands.js";
import type { Random } from "./random.js";
import type { Story } from "./story.js";

/** What the story plans: one window of six wants somebody's word first, and one of eight holds only what writes. */
export function makeKind(random: Random): WindowKind {
  return random.weighted({ maintenance: 17, change: 4, freeze: 3 });
}

/** In the story every change, and nothing else, wants an approval, which whoever asks for it may give. */
export const approvalPolicies = [{ key: "changes", kinds: ["change"], ownAllowed: true }];

export type Approval = "none" | "pending" | "approved" | "rejected";

interface Plan {
  readonly kind: WindowKind;
  readonly mode: WindowMode;
  readonly scope: WindowScope;
  readonly series: WindowSeries;
}

const minutesOf = ({ start, end, duration }: WindowSeries): number =>
  duration === undefined ? (Date.parse(`${end}Z`) - Date.parse(`${start}Z`)) / 60_000 : Number(/^PT(\d+)M$/.exec(duration)?.[1]);

const timesOf = ({ start, timeZone, rrule, dstPolicy }: WindowSeries): string => JSON.stringify([start, timeZone, rrule, dstPolicy]);

/** What becomes of an approval when the window is saved. A shorter occurrence and the step back to observing need nobody's word. */
export function approvalAfter(before: (Plan & { readonly approval: Approval }) | undefined, after: Plan): Approval {
  const isTouched =
    before === undefined ||
    before.approval === "rejected" ||
    before.kind !== after.kind ||
    (before.mode === "observe" && after.mode === "enforce") ||
    JSON.stringify(before.scope) !== JSON.stringify(after.scope) ||
    timesOf(before.series) !== timesOf(after.series) ||
    minutesOf(after.series) > minutesOf(before.series);
  if (!isTouched) return before.approval;
  return after.kind === "change" ? "pending" : "none";
}

/** Somebody gives or refuses their word for a window that waits for it. */
export async function decideSome(story: Story, context: CommandContext): Promise<void> {
  const { random, holds, now } = story;
  const waiting = [...holds.windows].filter(([, window]) => window.live && window.approval === "pending");
  if (waiting.length === 0) return;
  const [key] = random.pick(waiting);
  const isApproved = random.chance(0.8);
  story.note(`${isApproved ? "approve" : "reject"} ${key}`);
  if (isApproved) await approveWindow(context, { key });
  else await rejectWindow(context, { key, comment: "because" });
  holds.decide(key, isApproved, now);
}
