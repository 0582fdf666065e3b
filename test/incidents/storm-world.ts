import type { CorrelatedAlert, TopologyNode } from "@quiesce/core";

/** How a made-up hour of trouble looks. Probabilities are 0 to 1, times milliseconds. */
export interface StormSettings {
  readonly seed: number;
  readonly nodes: number;
  /** Things that really fail. */
  readonly failures: number;
  /** Share of nodes that flap all the time, for reasons of their own. */
  readonly chattering: number;
  /** Share of nodes with one alert of their own that has no other cause. */
  readonly alone: number;
  /** Share of nodes whose monitor is late by up to `latenessMs`: it notices late, and says that it began when it noticed. */
  readonly late: number;
  readonly latenessMs: number;
}

/** Alerts and what really caused each. */
export interface StormWorld {
  readonly topology: readonly TopologyNode[];
  readonly alerts: readonly CorrelatedAlert[];
  /** Alert id -> what caused it: the failure of a node, or the node's own trouble. */
  readonly causeOf: ReadonlyMap<string, string>;
  /** Cause -> the node that failed, for failures whose node alerted itself. */
  readonly rootOf: ReadonlyMap<string, string>;
}

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 5);
/** What a failing dependency does to those that need it. */
const SPREAD = { probability: 0.8, meanDelayMs: 8_000, mostDelayMs: 40_000 };
/** A node that fails does not say so. */
const MISSED = 0.05;
const SEVERITIES = ["critical", "major", "minor", "warning"] as const;

/** A number generator that gives the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Layers of things that need one to three of the layers below, popular ones more often, and a few circles. */
export function madeTopology(nodes: number, random: () => number): readonly TopologyNode[] {
  const shares = [0.03, 0.1, 0.35, 1];
  const layerOf = (node: number) => shares.findIndex((share) => node < share * nodes);
  const firstOf = (layer: number) => (layer <= 0 ? 0 : Math.ceil((shares[layer - 1] ?? 0) * nodes));
  return Array.from({ length: nodes }, (_, node) => {
    const layer = layerOf(node);
    const dependsOn = new Set<string>();
    const wanted = layer <= 0 ? 0 : 1 + Math.floor(random() * random() * 3);
    for (let one = 0; one < wanted; one += 1) {
      // Mostly the layer right below; squared, so that the first of a layer are the popular ones.
      const below = random() < 0.85 ? layer - 1 : Math.floor(random() * layer);
      const [from, to] = [firstOf(below), firstOf(below + 1)];
      dependsOn.add(`n${from + Math.floor(random() ** 1.5 * (to - from))}`);
    }
    // A circle: some services need one that stands beside them.
    if (layer === 2 && random() < 0.02) dependsOn.add(`n${Math.min(nodes - 1, node + 1)}`);
    return { key: `n${node}`, dependsOn: [...dependsOn] };
  });
}

export function madeStorm(settings: StormSettings): StormWorld {
  const random = seeded(settings.seed);
  const topology = madeTopology(settings.nodes, random);
  const dependents = new Map<string, string[]>(topology.map(({ key }) => [key, []]));
  for (const { key, dependsOn } of topology) for (const one of dependsOn) dependents.get(one)?.push(key);
  const writer = new AlertWriter(topology, settings, random);
  const events: { at: number; node: string; cause: string }[] = [];
  for (let failure = 0; failure < settings.failures; failure += 1) {
    // Roots of every layer but the last, which nothing depends on.
    const node = `n${Math.floor(random() * settings.nodes * 0.35)}`;
    spread({ node, at: START + random() * HOUR_MS, cause: `${node}!${failure}` }, dependents, random, events);
  }
  const downUntil = new Map<string, number>();
  for (const { at, node, cause } of events.toSorted((a, b) => a.at - b.at)) {
    // What is down already has nothing new to say.
    if ((downUntil.get(node) ?? 0) > at) continue;
    downUntil.set(node, at + 900_000);
    if (random() >= MISSED) writer.failure(node, at, cause);
  }
  for (const { key } of topology) {
    const fate = random();
    if (fate < settings.chattering) writer.chatter(key);
    else if (fate < settings.chattering + settings.alone) writer.failure(key, START + random() * HOUR_MS, `alone-${key}`);
  }
  return { topology, alerts: writer.alerts, causeOf: writer.causeOf, rootOf: writer.rootOf };
}

function spread(
  { node, at, cause }: { node: string; at: number; cause: string },
  dependents: ReadonlyMap<string, readonly string[]>,
  random: () => number,
  events: { at: number; node: string; cause: string }[],
): void {
  const hit = new Map([[node, at]]);
  for (const [failed, since] of hit) {
    events.push({ at: since, node: failed, cause });
    for (const dependent of dependents.get(failed) ?? []) {
      if (hit.has(dependent) || random() >= SPREAD.probability) continue;
      hit.set(dependent, since + Math.min(SPREAD.mostDelayMs, -Math.log(1 - random()) * SPREAD.meanDelayMs));
    }
  }
}

class AlertWriter {
  readonly alerts: CorrelatedAlert[] = [];
  readonly causeOf = new Map<string, string>();
  readonly rootOf = new Map<string, string>();
  readonly #late: ReadonlySet<string>;
  readonly #settings: StormSettings;
  readonly #random: () => number;

  constructor(topology: readonly TopologyNode[], settings: StormSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
    this.#late = new Set(topology.filter(() => random() < settings.late).map(({ key }) => key));
  }

  /** One to three checks of a node that fails. */
  failure(node: string, at: number, cause: string): void {
    const checks = 1 + Math.floor(this.#random() * 3);
    const lateBy = this.#late.has(node) ? this.#random() * this.#settings.latenessMs : 0;
    for (let check = 0; check < checks; check += 1) this.#write(node, `check-${check}`, at + lateBy + this.#random() * 5_000, cause);
    if (cause.startsWith(`${node}!`)) this.rootOf.set(cause, node);
  }

  chatter(node: string): void {
    for (let at = START + this.#random() * 240_000; at < START + HOUR_MS; at += 40_000 + this.#random() * 160_000)
      this.#write(node, "flapping", at, `chatter-${node}`);
  }

  #write(node: string, check: string, at: number, cause: string): void {
    const id = `a${String(this.alerts.length).padStart(7, "0")}`;
    const startedAt = Math.floor(at);
    this.alerts.push({
      id,
      fingerprint: `${node}/${check}`,
      node,
      severity: SEVERITIES[Math.floor(this.#random() * 4)] ?? "major",
      title: `${check} of ${node} fails`,
      source: "monitor",
      kind: "service",
      startedAt,
      heardAt: startedAt + Math.floor(this.#random() * 2_000),
    });
    this.causeOf.set(id, cause);
  }
}
