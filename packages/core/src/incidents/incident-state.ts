/**
 * The states of an incident and the only ways between them. `open`: nobody has taken it; `on-hold`: it waits for something outside; `resolved`: what
 * was wrong is over; `closed`: nothing is left to do; `merged`: another incident stands for it, for good.
 */
export const incidentTransitions = {
  open: ["acknowledged", "in-progress", "on-hold", "resolved", "merged"],
  acknowledged: ["in-progress", "on-hold", "resolved", "merged"],
  "in-progress": ["on-hold", "resolved", "merged"],
  "on-hold": ["in-progress", "resolved", "merged"],
  resolved: ["open", "closed", "merged"],
  closed: [],
  merged: [],
} as const satisfies { readonly [state: string]: readonly string[] };

export type IncidentState = keyof typeof incidentTransitions;

export const incidentStates = Object.keys(incidentTransitions) as readonly IncidentState[];

/** What comes again within this time after the end belongs to the same incident. */
export const reopenWithinMs = 1_800_000;
/** A resolved incident that nobody closes is closed by itself after this time, unless something of it still fires. */
export const closeAfterMs = 86_400_000;

/** True while somebody has to care: it is neither resolved, closed nor merged. */
export function isLive(state: IncidentState): boolean {
  return state !== "resolved" && state !== "closed" && state !== "merged";
}

/** What an incident is asked to become. */
export interface IncidentStep {
  readonly to: IncidentState;
  /** Resolve although alerts still fire: their monitor is wrong, or they do not matter any more. */
  readonly evenIfFiring: boolean;
}

export type IncidentVerdict =
  | { readonly kind: "move"; readonly from: IncidentState; readonly to: IncidentState }
  | { readonly kind: "refuse"; readonly why: "unchanged" | "no-way" | "firing"; readonly reason: string };

/** Whether an incident may take a step, with the reason in words where it may not. `firing`: how many of its alerts fire. */
export function decideIncidentStep(
  incident: { readonly state: IncidentState; readonly firing: number },
  { to, evenIfFiring }: IncidentStep,
): IncidentVerdict {
  const { state: from, firing } = incident;
  if (from === to) return { kind: "refuse", why: "unchanged", reason: `It is ${inWords(to)} already.` };
  if (!(incidentTransitions[from] as readonly IncidentState[]).includes(to))
    return { kind: "refuse", why: "no-way", reason: noWay(from, to) };
  if (to === "resolved" && firing > 0 && !evenIfFiring)
    return {
      kind: "refuse",
      why: "firing",
      reason: `${stillFire(firing)}. It is resolved by itself when they end; resolve it all the same only when the monitor is wrong.`,
    };
  if (to === "closed" && firing > 0)
    return {
      kind: "refuse",
      why: "firing",
      reason: `${stillFire(firing)}, and nobody would be told if it became worse. It stays resolved, and is closed by itself when nothing of it fires any more.`,
    };
  return { kind: "move", from, to };
}

function stillFire(firing: number): string {
  return firing === 1 ? "One of its alerts still fires" : `${firing} of its alerts still fire`;
}

function noWay(from: IncidentState, to: IncidentState): string {
  if (from === "merged") return "It was merged: work on the incident that stands for it.";
  if (from === "closed") return "It is closed. What comes again opens a new incident.";
  const ways = incidentTransitions[from].map(inWords).join(", ");
  return `It is ${inWords(from)} and cannot become ${inWords(to)}, only ${ways}.`;
}

function inWords(state: IncidentState): string {
  return state.replaceAll("-", " ");
}
