import type { NowSubscription, OpenOccurrenceFragment } from "./now.generated.js";

export type Summary = NowSubscription["statusSummary"];
export type ActiveHold = Summary["activeHolds"][number];
export type OpenOccurrence = OpenOccurrenceFragment;
export type Failure = Summary["failures"][number];

/** The four things that somebody looks for. */
export const cards = ["failing", "quiesced", "held", "resuming"] as const;
export type Card = (typeof cards)[number];

/** One reason for what is not as always: a hold with what it covers, a window that is let go, or an error that integrations share. */
export type Cause =
  | { readonly kind: "hold"; readonly id: string; readonly tone: "held" | "quiesced" | "failing"; readonly hold: ActiveHold }
  | { readonly kind: "resume"; readonly id: string; readonly tone: "resuming"; readonly occurrence: OpenOccurrence }
  | { readonly kind: "failure"; readonly id: string; readonly tone: "failing"; readonly failure: Failure };

/** Causes in the order in which somebody should look: what failed, what overran, what may begin, what is held, what comes back. */
export function causesOf({ activeHolds, resuming, failures }: Summary): readonly Cause[] {
  const holds = activeHolds
    .filter(({ occurrence }) => occurrence?.state !== "OBSERVING" && occurrence?.state !== "UNAPPROVED")
    .map((hold): Cause => ({ kind: "hold", id: hold.id, tone: toneOfHold(hold), hold }));
  const overran = holds.filter(({ tone }) => tone === "failing");
  const ready = holds.filter(({ tone }) => tone === "quiesced");
  const held = holds.filter(({ tone }) => tone === "held");
  return [
    ...overran,
    ...failures.map((failure): Cause => ({ kind: "failure", id: `${failure.kind}:${failure.message}`, tone: "failing", failure })),
    ...ready,
    ...held,
    ...resuming.map((occurrence): Cause => ({ kind: "resume", id: occurrence.id, tone: "resuming", occurrence })),
  ];
}

function toneOfHold({ occurrence }: ActiveHold): "held" | "quiesced" | "failing" {
  if (occurrence?.state === "OVERRUN") return "failing";
  return occurrence?.state === "QUIESCED" ? "quiesced" : "held";
}

export function cardFits(card: Card, cause: Cause): boolean {
  if (card === "held") return cause.kind === "hold";
  return cause.tone === card;
}

export interface Numbers {
  readonly openWindows: number;
  readonly held: number;
  /** Systems whose windows are quiesced; a window over integrations or tags counts as one. */
  readonly readySystems: number;
  readonly quiesced: number;
  readonly failing: number;
  readonly resuming: number;
}

export function numbersOf(summary: Summary): Numbers {
  const { activeHolds, resuming, heldIntegrations, failingIntegrations } = summary;
  const quiesced = activeHolds.flatMap(({ occurrence }) => (occurrence?.state === "QUIESCED" ? [occurrence] : []));
  const systems = quiesced.flatMap(({ window }) => (window.scope.systems.length > 0 ? window.scope.systems : [`window ${window.key}`]));
  return {
    openWindows: new Set(activeHolds.flatMap(({ occurrence }) => (occurrence === null ? [] : [occurrence.id]))).size,
    held: heldIntegrations,
    readySystems: new Set(systems).size,
    quiesced: quiesced.length,
    failing: failingIntegrations,
    resuming: resuming.length,
  };
}

/** The first reason for which a window's systems are not ready: ERP (HTTP 503). */
export function notReady({ resume }: OpenOccurrence): string | null {
  const failed = resume?.checks.find(({ ok, error }) => !ok && error !== null);
  return failed === undefined ? null : `${failed.endpoint.system.name}: ${failed.error ?? ""}`;
}

/** When the last run in flight should be over; null: nobody knows of all of them. */
export function lastEnd({ runsInFlight }: OpenOccurrence): string | null {
  const ends = runsInFlight.map(({ expectedEndAt }) => expectedEndAt);
  if (ends.length === 0 || ends.includes(null)) return null;
  return ends.reduce((latest, end) => ((end ?? "") > (latest ?? "") ? end : latest), null);
}
