/** One target system's queue of starts after a release. */
export interface RampSystem {
  readonly systemId: number;
  /** The earliest start of whoever comes next; in the past when there is no ramp. */
  readonly nextAt: number;
  /** Starts on the system are so far apart. */
  readonly stepMs: number;
}

export interface RampPlan {
  /** The earliest start of each run, in the order in which they were given. */
  readonly readyAt: readonly number[];
  /** The systems with their new ends. */
  readonly systems: readonly RampSystem[];
}

/**
 * Gives runs of one integration their places on the ramps of its target systems: each starts when all of them have room, so the latest place
 * wins, and no system sees two starts closer than its step. `notBefore` says of each run when it may start at the earliest.
 */
export function planRamp(input: { readonly systems: readonly RampSystem[]; readonly notBefore: readonly number[] }): RampPlan {
  const next = input.systems.map((system) => ({ ...system }));
  const readyAt = input.notBefore.map((earliest) => {
    const at = next.reduce((latest, system) => Math.max(latest, system.nextAt), earliest);
    for (const system of next) system.nextAt = at + system.stepMs;
    return at;
  });
  return { readyAt, systems: next };
}
