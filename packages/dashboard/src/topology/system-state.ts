import type { StatusTone } from "../components/status.js";
import type { ActiveHold, Summary } from "../now/summary.js";
import type { TopologySystemsQuery } from "./topology.generated.js";

export type TopologySystem = TopologySystemsQuery["systems"]["nodes"][number];

export const systemWords = ["away", "overrun", "quiesced", "draining", "held", "resuming", "failing", "partly", "fine", "unused"] as const;
export type SystemWord = (typeof systemWords)[number];

/** Where a system is, with what says so. */
export interface SystemState {
  readonly word: SystemWord;
  readonly tone: StatusTone;
  /** The hold that names it; null: none does. */
  readonly hold: ActiveHold | null;
  /** Why it is said to be away. */
  readonly reason: string | null;
}

const tones: { readonly [word in SystemWord]: StatusTone } = {
  away: "failing",
  overrun: "failing",
  quiesced: "quiesced",
  draining: "held",
  held: "held",
  resuming: "resuming",
  failing: "failing",
  partly: "held",
  fine: "quiet",
  unused: "quiet",
};

/**
 * One state for a system. What keeps people waiting comes first: it does not answer, its window is overrun; then what a hold says that names it; then
 * how its integrations are, which others may be the reason of.
 */
export function stateOfSystem(system: TopologySystem, { activeHolds, resuming }: Pick<Summary, "activeHolds" | "resuming">): SystemState {
  const holds = activeHolds.filter(({ mode, scope }) => mode === "ENFORCE" && names(scope, system));
  const away = system.endpoints.find(({ traffic }) => traffic.breaker !== "CLOSED");
  const say = (word: SystemWord, hold: ActiveHold | null = null): SystemState => ({
    word,
    tone: tones[word],
    hold,
    reason: word === "away" ? (away?.traffic.reason ?? null) : null,
  });
  const inState = (...states: readonly string[]) => holds.find(({ occurrence }) => states.includes(occurrence?.state ?? ""));
  const overrun = inState("OVERRUN");
  if (overrun !== undefined) return say("overrun", overrun);
  const quiesced = inState("QUIESCED");
  const draining = inState("DRAINING");
  const [hold] = holds;
  // In its own window a system may be away: that is what the window is for.
  if (draining !== undefined) return say("draining", draining);
  if (quiesced !== undefined) return say("quiesced", quiesced);
  if (hold !== undefined) return say("held", hold);
  if (away !== undefined) return say("away");
  if (resuming.some(({ window }) => names(window.scope, system))) return say("resuming");
  const { all, held, failing } = system.integrationCounts;
  if (failing > 0) return say("failing");
  if (held > 0) return say(held === all ? "held" : "partly");
  return say(all === 0 ? "unused" : "fine");
}

function names(
  scope: { readonly all: boolean; readonly systems: readonly string[]; readonly tags: readonly string[] },
  system: TopologySystem,
): boolean {
  return scope.all || scope.systems.includes(system.key) || scope.tags.some((tag) => system.tags.includes(tag));
}
