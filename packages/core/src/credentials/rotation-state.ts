/**
 * The states of a rotation and the only ways between them. Up to `testing` the old secrets are in force and nothing has happened to runs; from
 * `checking` on the new ones are, and the old ones live until `revoking`.
 */
export const rotationTransitions = {
  /** A person has to hand in new secrets, or to give them in the workspace. */
  awaiting: ["testing", "succeeded", "failed"],
  /** The system is asked for new secrets. */
  issuing: ["testing", "failed"],
  /** The system is asked whether it takes the new secrets. */
  testing: ["checking", "discarding", "failed"],
  /** Switched: it is asked once more, with what every new run works with. */
  checking: ["draining", "returning"],
  /** Runs that began with the old secrets end. */
  draining: ["revoking", "returning"],
  /** The old secrets are ended at the system. */
  revoking: ["succeeded", "unrevoked", "returning"],
  /** Switched back, or the workspace gave other secrets: runs that began with the new ones end. */
  returning: ["discarding"],
  /** The new secrets are ended at the system. */
  discarding: ["failed"],
  succeeded: [],
  /** The new secrets are in force, but the old ones may still be good at the system. */
  unrevoked: [],
  failed: [],
} as const satisfies { readonly [state: string]: readonly string[] };

export type RotationState = keyof typeof rotationTransitions;

export const rotationStates = Object.keys(rotationTransitions) as readonly RotationState[];

/** Why a rotation began: its time had come, a certificate ends, a person said so, or handed in the secrets. */
export const rotationTriggers = ["schedule", "expiry", "manual", "staged"] as const;
export type RotationTrigger = (typeof rotationTriggers)[number];

/** Whether the table allows this step. */
export function mayTurn(from: RotationState, to: RotationState): boolean {
  return (rotationTransitions[from] as readonly RotationState[]).includes(to);
}

/** An ended rotation has no way on. */
export function isEnded(state: RotationState): boolean {
  return rotationTransitions[state].length === 0;
}

/** Whether the new secrets are in force in this state. */
export function isSwitched(state: RotationState): boolean {
  return state === "checking" || state === "draining" || state === "revoking" || state === "succeeded" || state === "unrevoked";
}
