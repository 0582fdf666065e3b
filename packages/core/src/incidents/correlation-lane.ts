import type { Alert } from "@quiesce/sdk";
import { alertSeverities } from "../alerts/alert-problem.js";
import { CORRELATION_TICK_MS, type CorrelatedAlert } from "./correlation.js";
import type { CorrelationRule } from "./correlation-rule.js";
import type { CompiledTopology } from "./correlation-topology.js";

/** What an incident is to correlation while it may still get alerts. */
export interface LiveIncident {
  readonly key: string;
  readonly raisedAt: number;
  rootNode: string;
  rootAlert: string;
  severity: Alert["severity"];
  /** The tick at which its newest node began to alert. Repeats do not keep an incident alive for others. Epoch ms. */
  grewAt: number;
  notified: boolean;
  mergedInto: LiveIncident | null;
}

/** Alerts of one node that no decision has named yet, and the worst severity among them. */
export interface FreshAlerts {
  readonly ids: readonly string[];
  readonly worst: Alert["severity"];
}

interface GrowingAlerts extends FreshAlerts {
  readonly ids: string[];
  worst: Alert["severity"];
}

/** What was taken of one node since the last tick. Times are beginnings, epoch ms. */
interface TakenAlerts {
  /** The earliest by time, then by id. */
  first: CorrelatedAlert;
  earliest: number;
  latest: number;
}

/** An alert that says it began long before it was heard counts from here: nothing older is remembered. */
const LATEST_START_MS = 600_000;
/** So many beginnings of one fingerprint within this time are chatter. */
const CHATTER_BEGINNINGS = 3;
const CHATTER_MS = 1_800_000;
/** Fingerprints of one node that are looked at for chatter. */
const FINGERPRINTS_PER_NODE = 64;
const TICKS_PER_MINUTE = 60_000 / CORRELATION_TICK_MS;

/** How long before now alerts can still matter to what a rule decides. */
export function memoryMs(rule: CorrelationRule): number {
  const { windowSeconds, holdSeconds, topology } = rule;
  return (windowSeconds + holdSeconds + topology.rootSlackSeconds) * 1_000 + LATEST_START_MS + CHATTER_MS + 2 * CORRELATION_TICK_MS;
}

/**
 * The alerted nodes of one rule and one group: alerts of different lanes never meet. A node has a slot while it matters; what a walk reads is in typed
 * arrays by slot. Within a tick the order of alerts does not matter: slots keep the least and the greatest.
 */
export class Lane {
  readonly rule: CorrelationRule;
  readonly group: readonly string[];
  readonly windowMs: number;
  readonly slackMs: number;
  readonly holdMs: number;
  /** Slot of each component of the topology, or -1. */
  readonly slotOf: Int32Array;
  /** Component of each slot; -1 for a node that the topology does not know. */
  component = new Int32Array(16);
  /** When the present spell of a slot began and when its newest alert did, by the monitors. Epoch ms. */
  start = new Float64Array(16);
  last = new Float64Array(16);
  /** When the present spell was first heard of: the hold counts from here. */
  heard = new Float64Array(16);
  readonly incident: (LiveIncident | null)[] = [];
  /** The alert that began the spell: the earliest by time, then by id. */
  readonly first: (CorrelatedAlert | null)[] = [];
  /** Slots that took alerts since the last tick. */
  readonly touched: number[] = [];
  /** Slots without an incident: inside their hold. */
  readonly young = new Set<number>();
  /** Incidents whose cause may still be heard of. */
  readonly watched = new Set<LiveIncident>();
  /** Incidents that a storm keeps quiet. */
  readonly quieted = new Set<LiveIncident>();
  isStorm = false;
  readonly #taken: (TakenAlerts | null)[] = [];
  readonly #fresh: (GrowingAlerts | null)[] = [];
  /** The beginning since which one fingerprint of a slot began three times, at the latest. */
  readonly #chatteredSince: number[] = [];
  readonly #beginnings: Map<string, number[]>[] = [];
  readonly #strangers = new Map<string, number>();
  readonly #keyOfStranger: (string | null)[] = [];
  readonly #free: number[] = [];
  readonly #heardPerTick = new Map<number, number>();
  #slots = 0;

  constructor(parts: { readonly rule: CorrelationRule; readonly group: readonly string[]; readonly topology: CompiledTopology }) {
    this.rule = parts.rule;
    this.group = parts.group;
    this.windowMs = parts.rule.windowSeconds * 1_000;
    this.slackMs = parts.rule.topology.rootSlackSeconds * 1_000;
    this.holdMs = parts.rule.holdSeconds * 1_000;
    this.slotOf = new Int32Array(parts.topology.components).fill(-1);
  }

  /**
   * Takes an alert of component `component` (-1: unknown to the topology), to be folded in at the next tick. All work that grows with the number of alerts
   * is done here, so that a tick costs what its nodes cost.
   */
  take(alert: CorrelatedAlert, component: number): void {
    const slot = this.#slotFor(alert, component);
    const began = startOf(alert);
    const taken = this.#taken[slot] ?? null;
    if (taken === null) {
      this.#taken[slot] = { first: alert, earliest: began, latest: began };
      this.touched.push(slot);
    } else {
      if (began < taken.earliest || (began === taken.earliest && alert.id < taken.first.id)) {
        taken.earliest = began;
        taken.first = alert;
      }
      if (began > taken.latest) taken.latest = began;
    }
    this.#keepFresh(slot, alert);
    this.#countBeginning(slot, alert.fingerprint, began);
    this.#countHeard(alert);
  }

  /** Folds the alerts taken since the last tick into the spell of a slot. A new spell begins after a silence longer than the window, in no incident. */
  fold(slot: number, now: number): void {
    const taken = this.#taken[slot] ?? null;
    if (taken === null) return;
    this.#taken[slot] = null;
    const incident = this.incidentOf(slot);
    const isNew = this.first[slot] === null || (incident !== null && taken.earliest - this.activeUntil(slot) > this.windowMs);
    if (isNew) this.#beginSpell(slot, now);
    this.#extendSpell(slot, taken);
    if (this.incidentOf(slot) === null) this.young.add(slot);
  }

  /** The alerts of a slot that no decision has named yet, which are named from now on; null when there are none. */
  nameFresh(slot: number): FreshAlerts | null {
    const fresh = this.#fresh[slot] ?? null;
    this.#fresh[slot] = null;
    return fresh;
  }

  /** A slot's spell belongs to an incident from now on. */
  settle(slot: number, incident: LiveIncident): void {
    this.young.delete(slot);
    this.incident[slot] = incident;
    incident.grewAt = Math.max(incident.grewAt, this.heard[slot] ?? -Infinity);
  }

  /** The slot of a node, or -1. */
  slotOfNode(node: string, component: number): number {
    return (component === -1 ? this.#strangers.get(node) : this.slotOf[component]) ?? -1;
  }

  /** The incident of a slot's spell, after merges; null while it has none. */
  incidentOf(slot: number): LiveIncident | null {
    const found = this.incident[slot] ?? null;
    const survivor = survivorOf(found);
    if (survivor !== found) this.incident[slot] = survivor;
    return survivor;
  }

  /** Until when a slot counts as alerted: its newest alert, or the newest node of its incident. */
  activeUntil(slot: number): number {
    const last = this.last[slot] ?? -Infinity;
    return (this.incident[slot] ?? null) === null ? last : Math.max(last, this.incidentOf(slot)?.grewAt ?? -Infinity);
  }

  /** True when one fingerprint of the slot began three times and more within half an hour before an instant: it says little about what fails now. */
  isChattering(slot: number, at: number): boolean {
    return at - (this.#chatteredSince[slot] ?? -Infinity) <= CHATTER_MS;
  }

  /** Alerts heard within the minute that ends with the tick `now`. */
  alertsPerMinute(now: number): number {
    let sum = 0;
    const oldest = tickOf(now) - (TICKS_PER_MINUTE - 1) * CORRELATION_TICK_MS;
    for (const [tick, count] of this.#heardPerTick) {
      if (tick < oldest) this.#heardPerTick.delete(tick);
      else if (tick <= now) sum += count;
    }
    return sum;
  }

  /** Gives up the slots that no longer matter. True when the lane is empty. */
  forget(now: number): boolean {
    const keepMs = memoryMs(this.rule);
    for (let slot = 0; slot < this.#slots; slot += 1) {
      if (this.first[slot] === null || this.young.has(slot) || (this.#taken[slot] ?? null) !== null) continue;
      if (now - this.activeUntil(slot) > keepMs) this.#close(slot);
    }
    return this.#free.length === this.#slots && !this.isStorm && this.alertsPerMinute(now) === 0;
  }

  #slotFor(alert: CorrelatedAlert, component: number): number {
    const slot = this.slotOfNode(alert.node, component);
    return slot === -1 ? this.#open(alert.node, component) : slot;
  }

  #beginSpell(slot: number, heard: number): void {
    this.incident[slot] = null;
    this.heard[slot] = heard;
    this.start[slot] = Infinity;
    this.last[slot] = -Infinity;
    this.first[slot] = null;
  }

  #extendSpell(slot: number, { first, earliest, latest }: TakenAlerts): void {
    const start = this.start[slot] ?? Infinity;
    const known = this.first[slot] ?? null;
    if (earliest < start || (earliest === start && (known === null || first.id < known.id))) {
      this.start[slot] = earliest;
      this.first[slot] = first;
    }
    this.last[slot] = Math.max(latest, this.last[slot] ?? -Infinity);
  }

  #keepFresh(slot: number, { id, severity }: CorrelatedAlert): void {
    const fresh = this.#fresh[slot] ?? null;
    if (fresh === null) {
      this.#fresh[slot] = { ids: [id], worst: severity };
      return;
    }
    fresh.ids.push(id);
    fresh.worst = worseSeverity(fresh.worst, severity);
  }

  #countHeard(alert: CorrelatedAlert): void {
    const tick = tickOf(alert.heardAt);
    this.#heardPerTick.set(tick, (this.#heardPerTick.get(tick) ?? 0) + 1);
  }

  #countBeginning(slot: number, fingerprint: string, began: number): void {
    const known = this.#beginnings[slot];
    if (known === undefined) return;
    const beginnings = known.get(fingerprint);
    if (beginnings === undefined) {
      if (known.size < FINGERPRINTS_PER_NODE) known.set(fingerprint, [began]);
      return;
    }
    // The newest few, ascending, in whatever order they came.
    beginnings.push(began);
    for (let at = beginnings.length - 1; at > 0 && (beginnings[at - 1] ?? 0) > began; at -= 1) {
      beginnings[at] = beginnings[at - 1] ?? 0;
      beginnings[at - 1] = began;
    }
    if (beginnings.length > CHATTER_BEGINNINGS) beginnings.shift();
    if (beginnings.length === CHATTER_BEGINNINGS)
      this.#chatteredSince[slot] = Math.max(this.#chatteredSince[slot] ?? -Infinity, beginnings[0] ?? -Infinity);
  }

  #open(node: string, component: number): number {
    const slot = this.#free.pop() ?? this.#slots++;
    if (slot >= this.start.length) this.#grow();
    this.component[slot] = component;
    this.incident[slot] = null;
    this.first[slot] = null;
    this.#taken[slot] = null;
    this.#fresh[slot] = null;
    this.#chatteredSince[slot] = -Infinity;
    this.#beginnings[slot] = new Map();
    this.#keyOfStranger[slot] = component === -1 ? node : null;
    if (component === -1) this.#strangers.set(node, slot);
    else this.slotOf[component] = slot;
    return slot;
  }

  #close(slot: number): void {
    const component = this.component[slot] ?? -1;
    const stranger = this.#keyOfStranger[slot] ?? null;
    if (stranger !== null) this.#strangers.delete(stranger);
    if (component !== -1) this.slotOf[component] = -1;
    this.incident[slot] = null;
    this.first[slot] = null;
    this.#beginnings[slot]?.clear();
    this.#free.push(slot);
  }

  #grow(): void {
    const size = this.start.length * 2;
    const component = new Int32Array(size);
    component.set(this.component);
    this.component = component;
    this.start = doubled(this.start);
    this.last = doubled(this.last);
    this.heard = doubled(this.heard);
  }
}

/** The first tick that sees what was heard at an instant. */
export function tickOf(heardAt: number): number {
  return Math.ceil(heardAt / CORRELATION_TICK_MS) * CORRELATION_TICK_MS;
}

/** The worse of two severities. */
export function worseSeverity(a: Alert["severity"], b: Alert["severity"]): Alert["severity"] {
  return alertSeverities.indexOf(a) <= alertSeverities.indexOf(b) ? a : b;
}

/** The incident that an incident is part of now. */
export function survivorOf(incident: LiveIncident | null): LiveIncident | null {
  let survivor = incident;
  while (survivor !== null && survivor.mergedInto !== null) survivor = survivor.mergedInto;
  return survivor;
}

/** A monitor's clock is believed between ten minutes before an alert was heard and that instant. */
function startOf(alert: CorrelatedAlert): number {
  return Math.min(Math.max(alert.startedAt, alert.heardAt - LATEST_START_MS), alert.heardAt);
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(values.length * 2);
  wider.set(values);
  return wider;
}
