import { CORRELATION_TICK_MS, type CorrelatedAlert, type CorrelationDecision, type CorrelationSetting } from "./correlation.js";
import { type FreshAlerts, Lane, type LiveIncident, memoryMs, survivorOf, tickOf, worseSeverity } from "./correlation-lane.js";
import { groupOf, judgeByRules, usualCorrelationRule } from "./correlation-rule.js";
import { type CompiledTopology, compileTopology } from "./correlation-topology.js";
import { CauseWalker, type FoundCauses } from "./correlation-walk.js";

/** So many groups that groupBy keeps apart at one time; alerts of further ones share one group of their rule. */
const MAX_LANES = 1_000;
const GROUP_OF_THE_REST: readonly string[] = ["(further groups)"];
/** Lanes are looked through for what no longer matters once in so many ticks. */
const FORGET_EVERY_TICKS = 12;

/** How long after the last alert nothing of it matters any more to what these rules decide. Milliseconds. */
export function correlationMemoryMs(rules: CorrelationSetting["rules"]): number {
  return Math.max(memoryMs(usualCorrelationRule), ...rules.map(memoryMs));
}

/**
 * Makes incidents of alerts, by direction: from a symptom along what it depends on, through alerted nodes, to a probable cause. Alerts are observed as
 * they are heard; each tick decides about those heard up to it. What it decides depends on the alerts and the ticks alone: the stored list gives the same
 * incidents on every machine and after every restart.
 *
 * An incident waits `holdSeconds` for its cause. Until it is raised nothing about it is settled; afterwards its key stays and its alerts stay. A cause
 * that is heard of later, and began no more than `rootSlackSeconds` after it, becomes its root; incidents that turn out to have one cause are merged.
 *
 * @example
 * const correlator = new Correlator({ topology, rules });
 * for (const alert of heard) correlator.observe(alert);
 * const decisions = correlator.tick(now); // now: a multiple of CORRELATION_TICK_MS
 */
export class Correlator {
  readonly #setting: CorrelationSetting;
  readonly #topology: CompiledTopology;
  readonly #walker: CauseWalker;
  readonly #lanes = new Map<string, Lane>();
  readonly #said: CorrelationDecision[] = [];
  readonly #waiting: CorrelatedAlert[] = [];
  #lastTick = -Infinity;

  constructor(setting: CorrelationSetting) {
    this.#setting = setting;
    this.#topology = compileTopology(setting.topology);
    this.#walker = new CauseWalker(this.#topology);
  }

  /**
   * Takes one alert, once. One that was heard after the next tick waits for its own. One whose tick is over is looked at in the next one: a record of it
   * should say so in `heardAt`.
   */
  observe(alert: CorrelatedAlert): void {
    if (tickOf(alert.heardAt) > this.#lastTick + CORRELATION_TICK_MS && this.#lastTick !== -Infinity) this.#waiting.push(alert);
    else this.#take(alert);
  }

  /** Decides about everything heard up to `now`, a multiple of CORRELATION_TICK_MS that is later than that of the last call. */
  tick(now: number): readonly CorrelationDecision[] {
    if (now % CORRELATION_TICK_MS !== 0 || now <= this.#lastTick)
      throw new RangeError(
        `A tick at ${now}; expected a multiple of ${CORRELATION_TICK_MS} after ${this.#lastTick}: CORRELATION_TICK_MS gives the instants.`,
      );
    this.#lastTick = now;
    for (const alert of this.#waiting.splice(0)) {
      if (tickOf(alert.heardAt) <= now) this.#take(alert);
      else this.#waiting.push(alert);
    }
    for (const [key, lane] of this.#lanes) {
      if (lane.touched.length > 0 || lane.young.size > 0 || lane.isStorm) this.#decide(lane, now);
      if ((now / CORRELATION_TICK_MS) % FORGET_EVERY_TICKS === 0 && lane.forget(now)) this.#lanes.delete(key);
    }
    return this.#said.splice(0);
  }

  #take(alert: CorrelatedAlert): void {
    const verdict = judgeByRules(this.#setting.rules, alert);
    for (const rule of verdict.annotations) this.#said.push({ kind: "annotate", alert: alert.id, rule });
    if (verdict.rule === null)
      this.#said.push({ kind: "suppress", alert: alert.id, reason: { kind: "rule", rule: verdict.suppressedBy ?? "" } });
    else this.#laneOf(verdict.rule, groupOf(verdict.rule, alert)).take(alert, this.#componentOf(alert.node));
  }

  #componentOf(node: string): number {
    return this.#topology.componentOf.get(node) ?? -1;
  }

  #laneOf(rule: Lane["rule"], group: readonly string[]): Lane {
    const key = group.length === 0 ? rule.id : JSON.stringify([rule.id, ...group]);
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    if (this.#lanes.size >= MAX_LANES && group !== GROUP_OF_THE_REST && group.length > 0) return this.#laneOf(rule, GROUP_OF_THE_REST);
    const lane = new Lane({ rule, group, topology: this.#topology });
    this.#lanes.set(key, lane);
    return lane;
  }

  #decide(lane: Lane, now: number): void {
    this.#judgeStorm(lane, now);
    const touched = lane.touched.splice(0);
    for (const slot of touched) lane.fold(slot, now);
    for (const slot of touched) {
      const incident = lane.incidentOf(slot);
      if (incident !== null) this.#attach(lane, incident, [slot], []);
    }
    if (lane.young.size === 0) return;
    const causes = this.#walker.causesOf(lane, lane.young);
    const groups = groupByCause(causes);
    this.#findLateCauses(lane, { causes, groups }, now);
    for (const [root, members] of groups) {
      const incident = lane.incidentOf(root);
      if (incident !== null) {
        // Each node by its own way, for the way is what explains it.
        for (const slot of members) if (lane.young.has(slot)) this.#attach(lane, incident, [slot], causes.pathOf(lane, slot));
      } else if (members.some((slot) => now - (lane.heard[slot] ?? now) >= lane.holdMs)) this.#raise(lane, { root, members, causes }, now);
    }
  }

  /** An incident whose root turns out to depend on something alerted takes that as its root, or is merged with the incident that has it. */
  #findLateCauses(lane: Lane, { causes, groups }: YoungNodes, now: number): void {
    const longestMs = lane.holdMs + lane.slackMs + lane.windowMs;
    for (const one of lane.watched) if (one.mergedInto !== null || now - one.raisedAt > longestMs) lane.watched.delete(one);
    for (const incident of [...lane.watched].toSorted(byAge)) {
      const root = lane.slotOfNode(incident.rootNode, this.#componentOf(incident.rootNode));
      if (root === -1 || lane.incidentOf(root) !== incident) continue;
      const found = this.#walker.causeOf(lane, root);
      if (found === root) continue;
      const cause = topOf(causes, found);
      const other = lane.incidentOf(cause);
      if (other === null) {
        this.#reRoot(incident, lane.first[cause] ?? null);
        this.#attach(lane, incident, groups.get(cause) ?? [cause], []);
      } else if (other !== incident) this.#merge(lane, incident, other);
    }
  }

  #merge(lane: Lane, one: LiveIncident, upstream: LiveIncident): void {
    const isOlder = byAge(one, upstream) < 0;
    const [survivor, gone] = isOlder ? [one, upstream] : [upstream, one];
    gone.mergedInto = survivor;
    survivor.grewAt = Math.max(survivor.grewAt, gone.grewAt);
    survivor.severity = worseSeverity(survivor.severity, gone.severity);
    this.#said.push({ kind: "merge", incident: gone.key, into: survivor.key });
    if (isOlder) {
      survivor.rootNode = gone.rootNode;
      survivor.rootAlert = gone.rootAlert;
      this.#said.push({ kind: "re-root", incident: survivor.key, rootNode: gone.rootNode, rootAlert: gone.rootAlert });
    }
    // What was told stays told: the survivor may not be quieter than what it takes in.
    if (gone.notified && !survivor.notified) this.#notify(lane, survivor, survivor.severity === "critical" ? "critical" : "raised");
  }

  #reRoot(incident: LiveIncident, first: CorrelatedAlert | null): void {
    if (first === null) return;
    incident.rootNode = first.node;
    incident.rootAlert = first.id;
    this.#said.push({ kind: "re-root", incident: incident.key, rootNode: first.node, rootAlert: first.id });
  }

  #raise(lane: Lane, { root, members, causes }: RaisedGroup, now: number): void {
    const cause = lane.first[root];
    if (cause === null || cause === undefined) return;
    const opening = members.reduce((least, slot) => earlier(lane.first[slot] ?? least, least), cause);
    const fresh = members.map((slot) => lane.nameFresh(slot));
    const incident: LiveIncident = {
      key: opening.id,
      raisedAt: now,
      rootNode: cause.node,
      rootAlert: cause.id,
      severity: fresh.reduce((worst, one) => worseSeverity(worst, one?.worst ?? worst), cause.severity),
      grewAt: -Infinity,
      notified: false,
      mergedInto: null,
    };
    for (const slot of members) if (lane.young.has(slot)) lane.settle(slot, incident);
    lane.watched.add(incident);
    const isQuiet = lane.isStorm && incident.severity !== "critical";
    this.#said.push({
      kind: "raise",
      incident: incident.key,
      rule: lane.rule.id,
      group: lane.group,
      rootNode: incident.rootNode,
      rootAlert: incident.rootAlert,
      severity: incident.severity,
      alerts: fresh[members.indexOf(root)]?.ids ?? [],
      quiet: isQuiet ? [{ kind: "storm", rule: lane.rule.id, alertsPerMinute: lane.alertsPerMinute(now) }] : [],
    });
    for (const [at, slot] of members.entries()) {
      const one = fresh[at] ?? null;
      if (slot !== root && one !== null) this.#sayAttached(incident, one, causes.pathOf(lane, slot));
    }
    if (isQuiet) lane.quieted.add(incident);
    else this.#notify(lane, incident, "raised");
  }

  #attach(lane: Lane, incident: LiveIncident, members: readonly number[], path: readonly string[]): void {
    let worst = incident.severity;
    let hasCritical = false;
    for (const slot of members) {
      if (lane.young.has(slot)) lane.settle(slot, incident);
      const fresh = lane.nameFresh(slot);
      if (fresh === null) continue;
      this.#sayAttached(incident, fresh, path);
      worst = worseSeverity(worst, fresh.worst);
      hasCritical ||= fresh.worst === "critical";
    }
    incident.severity = worst;
    if (hasCritical && !incident.notified) this.#notify(lane, incident, "critical");
  }

  #sayAttached(incident: LiveIncident, { ids, worst }: FreshAlerts, path: readonly string[]): void {
    this.#said.push({ kind: "attach", incident: incident.key, alerts: ids, severity: worst, path });
  }

  #notify(lane: Lane, incident: LiveIncident, why: "raised" | "critical" | "storm-over"): void {
    incident.notified = true;
    lane.quieted.delete(incident);
    this.#said.push({ kind: "notify", incident: incident.key, why });
  }

  #judgeStorm(lane: Lane, now: number): void {
    const { storm } = lane.rule;
    if (storm === undefined) return;
    const alertsPerMinute = lane.alertsPerMinute(now);
    if (!lane.isStorm && alertsPerMinute >= storm.enter) {
      lane.isStorm = true;
      this.#said.push({ kind: "storm", state: "begins", rule: lane.rule.id, group: lane.group });
    } else if (lane.isStorm && alertsPerMinute <= storm.leave) {
      lane.isStorm = false;
      this.#said.push({ kind: "storm", state: "ends", rule: lane.rule.id, group: lane.group });
      for (const incident of lane.quieted) if (survivorOf(incident) === incident) this.#notify(lane, incident, "storm-over");
      lane.quieted.clear();
    }
  }
}

/** Nodes without an incident that have one cause, and the way from each to it. */
interface RaisedGroup {
  readonly root: number;
  readonly members: readonly number[];
  readonly causes: FoundCauses;
}

/** The nodes that wait for their cause: what each walk found, and by the node at which their ways end. */
interface YoungNodes {
  readonly causes: FoundCauses;
  readonly groups: ReadonlyMap<number, readonly number[]>;
}

function groupByCause(causes: FoundCauses): ReadonlyMap<number, readonly number[]> {
  const groups = new Map<number, number[]>();
  for (const slot of causes.walked) {
    const top = topOf(causes, slot);
    const members = groups.get(top);
    if (members === undefined) groups.set(top, [slot]);
    else members.push(slot);
  }
  return groups;
}

/** Follows causes of causes. Always towards what is depended on, so there is no circle. */
function topOf(causes: FoundCauses, slot: number): number {
  let top = slot;
  for (let next = causes.causeOf(top); next !== -1 && next !== top; next = causes.causeOf(top)) top = next;
  return top;
}

function byAge(a: LiveIncident, b: LiveIncident): number {
  return a.raisedAt - b.raisedAt || (a.key < b.key ? -1 : 1);
}

function earlier(a: CorrelatedAlert, b: CorrelatedAlert): CorrelatedAlert {
  return a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.id < b.id) ? a : b;
}
