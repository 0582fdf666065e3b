import {
  type AlertGroup,
  alertStages,
  type CorrelatedAlert,
  correlate,
  type CorrelationRule,
  joinsIncident,
  judgeByRules,
  type PipedAlert,
  planIncidents,
  type RuleWords,
  throughStages,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { isQuiet, keepLook } from "./quiet-look.js";
import { loadRules } from "./rule-store.js";
import { loadSituation, settleAlerts, type Situation, type StoredAlert } from "./situation.js";
import { tellTeams } from "./tell-teams.js";
import { writePlan } from "./write-plan.js";
import { writeStanding } from "./write-standing.js";

/** Who holds it looks at the alerts of the deployment. */
const LOOK_LOCK = 0x51_5c_69_6e;

/** What one look came to. */
export interface AlertLook {
  /** false: another server is looking. */
  readonly looked: boolean;
  /** Nothing was written since the last look and no instant has come that would change its decisions, so it reads no alert. */
  readonly quiet: boolean;
  readonly alerts: number;
  readonly opened: number;
  readonly changed: number;
  readonly told: number;
}

/**
 * Looks at every alert that is not settled: through the stages, into incidents, and tells their teams, in one transaction. Nothing is kept in memory:
 * the alerts, their standing and the incidents are the whole state, so any server may do the next look, also after this one was killed. Only one looks
 * at a time; a second one answers at once that it did not. Where nothing can have changed since the last look (`isQuiet`) it decides nothing anew, unless it
 * is asked for a `whole` one.
 */
export function lookAtAlerts(context: { readonly database: Database }, { whole = false } = {}): Promise<AlertLook> {
  return inTransaction(context, async (tx) => {
    const [lock] = await tx.execute<{ got: boolean }>(sql`select pg_try_advisory_xact_lock(${LOOK_LOCK}) as got`);
    if (lock?.got !== true) return { ...NOTHING_FOUND, looked: false };
    const began = await readNow(tx);
    // First: what is committed after this leaves its news for the next look.
    if ((await isQuiet(tx, began)) && !whole) return { ...NOTHING_FOUND, quiet: true };
    const situation = await loadSituation(tx, began);
    // After the locks: whoever changed an incident before them is in the past of this look.
    const now = await readNow(tx);
    const rules = await loadRules(tx);
    const piped = pipeAlerts(situation, { rules, now });
    const standing = await writeStanding(tx, { before: situation.alerts, after: piped, now });
    const { groups, quiet, raisedAt } = groupAlerts(situation, { piped, eligibleAt: standing.eligibleAt, rules, now });
    const plan = planIncidents({ alerts: piped, incidents: situation.incidents, groups }, now);
    await writePlan(tx, { plan, situation, quiet, now });
    const told = await tellTeams(tx, now);
    await settleAlerts(tx, situation, now);
    await keepLook(tx, { situation, piped, raisedAt, began, now });
    return { looked: true, quiet: false, alerts: piped.length, opened: plan.opens.length, changed: plan.changes.length, told };
  });
}

const NOTHING_FOUND: AlertLook = { looked: true, quiet: false, alerts: 0, opened: 0, changed: 0, told: 0 };

interface Looked {
  readonly rules: readonly CorrelationRule[];
  readonly now: number;
}

/** The alerts with the reasons that the stages find. */
function pipeAlerts({ alerts, needs, windows }: Situation, { rules, now }: Looked): readonly PipedAlert[] {
  return throughStages(alertStages({ topology: needs, windows, rules: wordsOf(rules, { alerts, now }) }), alerts, now);
}

/** What rules say of each alert. Most deployments have none, and then nothing is made of an alert to ask them. */
function wordsOf(
  rules: readonly CorrelationRule[],
  { alerts, now }: { readonly alerts: readonly StoredAlert[]; readonly now: number },
): RuleWords {
  if (rules.length === 0) return () => NOTHING_SAID;
  const kindOf = new Map(alerts.map((alert) => [alert.id, alert.kind]));
  return (alert) => judgeByRules(rules, correlated(alert, { kind: kindOf.get(alert.id) ?? "", heardAt: now }));
}

const NOTHING_SAID: ReturnType<RuleWords> = { suppressedBy: null, annotations: [] };

/** What correlation makes of the alerts that may belong to an incident now, and which groups a storm keeps quiet, by their first alert. */
function groupAlerts(
  { alerts, suffers }: Situation,
  { piped, eligibleAt, rules, now }: Looked & { readonly piped: readonly PipedAlert[]; readonly eligibleAt: ReadonlyMap<number, number> },
): { readonly groups: readonly AlertGroup[]; readonly quiet: ReadonlySet<number>; readonly raisedAt: readonly number[] } {
  const stored = new Map(alerts.map((alert) => [alert.id, alert]));
  const joining = piped.filter((alert) => joinsIncident(alert) && !isPlaced(stored.get(alert.id)));
  if (joining.length === 0) return { groups: [], quiet: new Set(), raisedAt: [] };
  const nodes = new Set([...suffers.keys(), ...joining.map(({ node }) => node)]);
  const topology = [...nodes].map((key) => ({ key, dependsOn: suffers.get(key) ?? [] }));
  const heard = joining.map((alert) =>
    correlated(alert, { kind: stored.get(alert.id)?.kind ?? "", heardAt: eligibleAt.get(alert.id) ?? now }),
  );
  const { incidents } = correlate({ topology, rules }, heard);
  const raised = incidents.filter(({ raisedAt }) => raisedAt <= now);
  const groups = raised.map(({ rootNode, rootAlert, alerts: members }) => ({
    rootNode,
    rootAlert: Number(rootAlert),
    alerts: members.map(Number),
  }));
  const quiet = raised.filter(({ notified }) => !notified).flatMap(({ alerts: members }) => members.map(Number));
  return { groups, quiet: new Set(quiet), raisedAt: incidents.map((incident) => incident.raisedAt) };
}

function isPlaced(alert: StoredAlert | undefined): boolean {
  return alert?.placed === true;
}

function correlated(alert: PipedAlert, { kind, heardAt }: { readonly kind: string; readonly heardAt: number }): CorrelatedAlert {
  const { id, fingerprint, node, severity, title, source, labels, startedAt } = alert;
  return { id: String(id), fingerprint, node, severity, title, source, kind, labels, startedAt, heardAt };
}
