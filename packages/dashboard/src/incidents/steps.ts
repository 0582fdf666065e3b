import type { IncidentState } from "./incident.generated.js";

/** What somebody can do to take an incident on. */
export type Step = "acknowledge" | "start" | "hold" | "resolve" | "reopen" | "close";

/** The steps that a state offers, the one that comes next first. The server's table of states has the last word. */
const steps: { readonly [state in IncidentState]: readonly Step[] } = {
  OPEN: ["acknowledge", "start", "hold", "resolve"],
  ACKNOWLEDGED: ["start", "hold", "resolve"],
  IN_PROGRESS: ["resolve", "hold"],
  ON_HOLD: ["start", "resolve"],
  RESOLVED: ["close", "reopen"],
  CLOSED: [],
  MERGED: [],
};

export function stepsOf(state: IncidentState): readonly Step[] {
  return steps[state];
}
