import type { Lane } from "./correlation-lane.js";
import type { CompiledTopology } from "./correlation-topology.js";

/** Where a walk from an alerted node ended: the slot of its probable cause (its own when nothing above it is alerted), and the slots on the way. */
export interface FoundCause {
  readonly slot: number;
  /** From the symptom to the cause, both included. */
  readonly path: readonly number[];
}

/**
 * Walks from symptoms towards causes, along dependencies and through alerted nodes only. One walker serves all lanes of a topology; its arrays are
 * used again by every walk.
 */
export class CauseWalker {
  readonly #topology: CompiledTopology;
  readonly #seen: Int32Array;
  readonly #queue: Int32Array;
  readonly #hops: Int32Array;
  readonly #from: Int32Array;
  #walk = 0;

  constructor(topology: CompiledTopology) {
    this.#topology = topology;
    this.#seen = new Int32Array(topology.components);
    this.#queue = new Int32Array(topology.components);
    this.#hops = new Int32Array(topology.components);
    this.#from = new Int32Array(topology.components);
  }

  /** The probable cause of the alerts of a slot. */
  causeOf(lane: Lane, slot: number): FoundCause {
    const component = lane.component[slot] ?? -1;
    if (component === -1) return { slot, path: [slot] };
    const best = this.#search(lane, slot, component);
    const path: number[] = [];
    for (let at = best; at !== -1; at = this.#from[at] ?? -1) path.push(lane.slotOf[at] ?? slot);
    return { slot: lane.slotOf[best] ?? slot, path: path.toReversed() };
  }

  /** Breadth first, so that the way to each node is a shortest one. Answers with the component of the best place at which the walk could not go on. */
  #search(lane: Lane, slot: number, component: number): number {
    const { offsets, targets } = this.#topology;
    this.#walk += 1;
    this.#queue[0] = component;
    this.#seen[component] = this.#walk;
    this.#hops[component] = 0;
    this.#from[component] = -1;
    let best = -1;
    let length = 1;
    for (let head = 0; head < length; head += 1) {
      const at = this.#queue[head] ?? 0;
      const child = lane.slotOf[at] ?? -1;
      const hops = this.#hops[at] ?? 0;
      let leadsOn = false;
      const end = hops < lane.rule.topology.maxHops ? (offsets[at + 1] ?? 0) : 0;
      for (let edge = offsets[at] ?? 0; edge < end; edge += 1) {
        const next = targets[edge] ?? 0;
        const parent = lane.slotOf[next] ?? -1;
        if (parent === -1 || !mayCause(lane, parent, child)) continue;
        leadsOn = true;
        if (this.#seen[next] === this.#walk) continue;
        this.#seen[next] = this.#walk;
        this.#hops[next] = hops + 1;
        this.#from[next] = at;
        this.#queue[length] = next;
        length += 1;
      }
      if (!leadsOn && at !== component && (best === -1 || this.#isBetter(lane, slot, at, best))) best = at;
    }
    return best === -1 ? component : best;
  }

  /** Of two causes: one that does not chatter, then the one that began nearest in time, then the one with the shorter way. */
  #isBetter(lane: Lane, symptom: number, one: number, other: number): boolean {
    const a = lane.slotOf[one] ?? -1;
    const b = lane.slotOf[other] ?? -1;
    const since = lane.start[symptom] ?? 0;
    const chatter = Number(lane.isChattering(a, since)) - Number(lane.isChattering(b, since));
    if (chatter !== 0) return chatter < 0;
    const nearer = Math.abs(since - (lane.start[a] ?? 0)) - Math.abs(since - (lane.start[b] ?? 0));
    if (nearer !== 0) return nearer < 0;
    const hops = (this.#hops[one] ?? 0) - (this.#hops[other] ?? 0);
    return hops !== 0 ? hops < 0 : one < other;
  }
}

/** A node that is alerted may cause what began no earlier than the slack before it, and not longer after its last sign than the window. */
function mayCause(lane: Lane, parent: number, child: number): boolean {
  if ((lane.first[parent] ?? null) === null) return false;
  const began = lane.start[child] ?? 0;
  return (lane.start[parent] ?? 0) <= began + lane.slackMs && began - lane.activeUntil(parent) <= lane.windowMs;
}
