import type { Lane } from "./correlation-lane.js";
import type { CompiledTopology } from "./correlation-topology.js";

/**
 * Where walks from alerted nodes ended, by slot: without an object for each, for thousands of nodes may wait for their cause in one tick. A slot that was
 * not walked from has no cause.
 */
export class FoundCauses {
  readonly #causes: Int32Array;
  /** The way of a slot: `steps[begins[slot] .. ends[slot])`, from the cause back to the symptom. */
  readonly #begins: Int32Array;
  readonly #ends: Int32Array;
  readonly #walked: number[] = [];
  readonly #steps: number[] = [];

  constructor(slots: number) {
    this.#causes = new Int32Array(slots).fill(-1);
    this.#begins = new Int32Array(slots);
    this.#ends = new Int32Array(slots);
  }

  /** The slots that were walked from, in the order of their walks. */
  get walked(): readonly number[] {
    return this.#walked;
  }

  /** The slot of the probable cause: its own when nothing above it is alerted; -1 where nobody walked. */
  causeOf(slot: number): number {
    return this.#causes[slot] ?? -1;
  }

  /** The nodes from a symptom to its cause, both included; empty where nobody walked. */
  pathOf(lane: Lane, slot: number): readonly string[] {
    const nodes: string[] = [];
    const begin = this.#begins[slot] ?? 0;
    for (let at = (this.#ends[slot] ?? 0) - 1; at >= begin; at -= 1) {
      const first = lane.first[this.#steps[at] ?? 0] ?? null;
      if (first !== null) nodes.push(first.node);
    }
    return nodes;
  }

  /** Begins the way of a slot, to be told step by step from its cause on. */
  begin(slot: number, cause: number): void {
    this.#causes[slot] = cause;
    this.#begins[slot] = this.#steps.length;
    this.#ends[slot] = this.#steps.length;
    this.#walked.push(slot);
  }

  /** One more slot on the way of the one that was begun last. */
  step(slot: number): void {
    this.#steps.push(slot);
    const walking = this.#walked.at(-1) ?? 0;
    this.#ends[walking] = this.#steps.length;
  }
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
  /** What was found of each edge, twice the number of the batch and one more where it may lead on. */
  readonly #said: Int32Array;
  #batch = 0;
  #walk = 0;

  constructor(topology: CompiledTopology) {
    this.#topology = topology;
    this.#seen = new Int32Array(topology.components);
    this.#queue = new Int32Array(topology.components);
    this.#hops = new Int32Array(topology.components);
    this.#from = new Int32Array(topology.components);
    this.#said = new Int32Array(topology.targets.length);
  }

  /** The slot of the probable cause of a slot's alerts: its own when nothing above it is alerted. */
  causeOf(lane: Lane, slot: number): number {
    const component = lane.component[slot] ?? -1;
    if (component === -1) return slot;
    this.#batch += 1;
    return lane.slotOf[this.#search(lane, slot, component)] ?? slot;
  }

  /** The probable causes of the alerts of many slots, with the ways to them. Walks cross the same edges again and again: each is judged once. */
  causesOf(lane: Lane, slots: Iterable<number>): FoundCauses {
    const found = new FoundCauses(lane.start.length);
    this.#batch += 1;
    for (const slot of slots) this.#find(lane, slot, found);
    return found;
  }

  #find(lane: Lane, slot: number, found: FoundCauses): void {
    const component = lane.component[slot] ?? -1;
    if (component === -1) {
      found.begin(slot, slot);
      found.step(slot);
      return;
    }
    const best = this.#search(lane, slot, component);
    found.begin(slot, lane.slotOf[best] ?? slot);
    for (let at = best; at !== -1; at = this.#from[at] ?? -1) found.step(lane.slotOf[at] ?? slot);
  }

  /** Breadth first, so that the way to each node is a shortest one. Answers with the component of the best place at which the walk could not go on. */
  #search(lane: Lane, slot: number, component: number): number {
    const { offsets, targets } = this.#topology;
    const [queue, seen, hopsTo, from, said] = [this.#queue, this.#seen, this.#hops, this.#from, this.#said];
    const unsaid = 2 * this.#batch;
    const { slotOf } = lane;
    const { maxHops } = lane.rule.topology;
    const walk = (this.#walk += 1);
    queue[0] = component;
    seen[component] = walk;
    hopsTo[component] = 0;
    from[component] = -1;
    let best = -1;
    let length = 1;
    for (let head = 0; head < length; head += 1) {
      const at = queue[head] ?? 0;
      const child = slotOf[at] ?? -1;
      const hops = hopsTo[at] ?? 0;
      let leadsOn = false;
      const end = hops < maxHops ? (offsets[at + 1] ?? 0) : 0;
      for (let edge = offsets[at] ?? 0; edge < end; edge += 1) {
        const next = targets[edge] ?? 0;
        if ((said[edge] ?? 0) < unsaid) said[edge] = unsaid + Number(mayCause(lane, slotOf[next] ?? -1, child));
        if (said[edge] === unsaid) continue;
        leadsOn = true;
        if (seen[next] === walk) continue;
        seen[next] = walk;
        hopsTo[next] = hops + 1;
        from[next] = at;
        queue[length] = next;
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
    // All are worked out, although the first mostly decides: a step that is seldom taken has the walk compiled anew when it is, in the middle of a storm.
    const chatter = Number(lane.isChattering(a, since)) - Number(lane.isChattering(b, since));
    const nearer = Math.abs(since - (lane.start[a] ?? 0)) - Math.abs(since - (lane.start[b] ?? 0));
    const hops = (this.#hops[one] ?? 0) - (this.#hops[other] ?? 0);
    const number = one - other;
    return (chatter || nearer || hops || number) < 0;
  }
}

/** A node that is alerted may cause what began no earlier than the slack before it, and not longer after its last sign than the window. */
function mayCause(lane: Lane, parent: number, child: number): boolean {
  if (parent === -1 || (lane.first[parent] ?? null) === null) return false;
  const began = lane.start[child] ?? 0;
  return (lane.start[parent] ?? 0) <= began + lane.slackMs && began - lane.activeUntil(parent) <= lane.windowMs;
}
