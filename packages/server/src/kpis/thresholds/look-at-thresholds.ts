import {
  DomainError,
  foldThreshold,
  freshThreshold,
  type Interval,
  intervalsCover,
  kpiDefinition,
  kpiFigures,
  type ThresholdChange,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../../command.js";
import type { Database, Tx } from "../../db/client.js";
import { groupRows } from "../../db/group-rows.js";
import { appendEvents, payloadInstant } from "../../events/append-events.js";
import { integrationsOf, type MeasuredIntegration } from "../kpi-scope.js";
import { alertEndpoint, endKpiAlert, raiseKpiAlert } from "../raise-kpi-alert.js";
import { readCoveredTime } from "../read-covered-time.js";
import { grains, readSums } from "../read-sums.js";
import { kpiScopeOf } from "../stored-scope.js";
import { thresholdFingerprint } from "./fingerprint.js";
import { lockDueThreshold, saveStates, statesOf, type StoredThresholdState, type ThresholdRow } from "./store.js";

/** A point is read when it is over for so long: samples come a little late, and sums are seconds behind. */
const settleMs = 30_000;
/** After a longer standstill what lies further back is left out. */
const mostSteps = 120;

interface Look {
  readonly threshold: ThresholdRow;
  readonly integrations: readonly MeasuredIntegration[];
  readonly states: ReadonlyMap<number, StoredThresholdState>;
  /** Points before it are over. */
  readonly through: number;
  readonly now: number;
}

/**
 * Looks at one threshold that is due, at each of its integrations: points that are new are folded in, and what breaks or clears becomes or ends an alert, in one
 * transaction under the threshold's lock. Points within a window are left out. Answers whether there was one.
 */
export function lookAtThreshold(context: { readonly database: Database }): Promise<boolean> {
  return inTransaction(context, async (tx) => {
    const threshold = await lockDueThreshold(tx, await readNow(tx));
    if (threshold === null) return false;
    const now = await readNow(tx);
    const integrations = await integrationsOr(tx, threshold);
    const problem = "problem" in integrations ? integrations.problem : null;
    await tx.execute(sql`update threshold set looked_at = ${now}::timestamptz, problem = ${problem} where id = ${threshold.id}`);
    const step = grains[threshold.step];
    const through = Math.floor((now - settleMs) / step) * step;
    const states = new Map((await statesOf(tx, [threshold.id])).map((state) => [state.integrationId, state]));
    await lookAt(tx, { threshold, integrations: "problem" in integrations ? [] : integrations, states, through, now });
    return true;
  });
}

/** A scope may have lost its last integration since: that is told, and stops nothing. */
async function integrationsOr(tx: Tx, { scope }: ThresholdRow): Promise<readonly MeasuredIntegration[] | { readonly problem: string }> {
  try {
    return await integrationsOf(tx, kpiScopeOf(scope));
  } catch (error) {
    if (error instanceof DomainError) return { problem: error.message };
    throw error;
  }
}

async function lookAt(tx: Tx, look: Look): Promise<void> {
  const { threshold, integrations, states, through } = look;
  const step = grains[threshold.step];
  const oldest = through - mostSteps * step;
  // What is new begins now: a threshold judges no history.
  const due = integrations.map((integration) => {
    const state = states.get(integration.id);
    return { integration, state, from: state === undefined ? through : Math.max(state.throughAt, oldest) };
  });
  const first = Math.min(through, ...due.map(({ from }) => from));
  const points = first < through ? await readPoints(tx, { look, period: { start: first, end: through } }) : new Map<number, never[]>();
  const covered = await readCoveredTime(tx, {
    integrationIds: due.map(({ integration }) => integration.id),
    period: { start: first, end: look.now },
  });
  const saved: StoredThresholdState[] = [];
  for (const { integration, state, from } of due) {
    if (state !== undefined && from >= through) continue;
    const windows = covered.get(integration.id) ?? [];
    const fresh = (points.get(integration.id) ?? []).filter(({ at }) => at >= from && !touches(windows, { start: at, end: at + step }));
    const folded = foldThreshold(state?.state ?? freshThreshold, threshold, fresh);
    const endpointId = await tell(tx, { look, integration, changes: folded.changes, endpointId: state?.endpointId ?? null });
    saved.push({ thresholdId: threshold.id, integrationId: integration.id, throughAt: through, state: folded.state, endpointId });
  }
  await saveStates(tx, saved);
  await dropLeft(tx, look);
}

const touches = (windows: readonly Interval[], { start, end }: { readonly start: number; readonly end: number }): boolean =>
  windows.some((one) => one.start < end && (one.end === null || one.end > start)) || intervalsCover(windows, start);

async function readPoints(
  tx: Tx,
  of: { readonly look: Look; readonly period: { readonly start: number; readonly end: number } },
): Promise<ReadonlyMap<number, readonly { readonly at: number; readonly value: number }[]>> {
  const { threshold, integrations } = of.look;
  const { kpi, step } = threshold;
  const { metric, of: wholeMetric } = kpiDefinition(kpi);
  const integrationIds = integrations.map(({ id }) => id);
  const read = (name: string) => readSums(tx, { metric: name, integrationIds, period: of.period, step });
  const sums = groupRows(await read(metric), ({ integrationId, at }) => `${integrationId} ${at}`);
  const all = wholeMetric === undefined ? null : groupRows(await read(wholeMetric), ({ integrationId, at }) => `${integrationId} ${at}`);
  const points = new Map<number, { readonly at: number; readonly value: number }[]>();
  for (const [name] of all ?? sums) {
    const [id = 0, at = 0] = name.split(" ").map(Number);
    const { value } = kpiFigures(kpi, { sums: sums.get(name) ?? [], all: all?.get(name) ?? [], seconds: grains[step] / 1_000 });
    if (value === null) continue;
    const own = points.get(id) ?? [];
    points.set(id, own);
    own.push({ at, value });
  }
  for (const own of points.values()) own.sort((a, b) => a.at - b.at);
  return points;
}

/** Raises or ends the alert of each change, in their order. Answers where an alert fires now. */
async function tell(
  tx: Tx,
  of: {
    readonly look: Look;
    readonly integration: MeasuredIntegration;
    readonly changes: readonly ThresholdChange[];
    readonly endpointId: number | null;
  },
): Promise<number | null> {
  const { threshold, now } = of.look;
  const { integration } = of;
  let { endpointId } = of;
  for (const change of of.changes) {
    await changeEvent(tx, { threshold, integration, change });
    const fingerprint = thresholdFingerprint(threshold.key, integration.id);
    if (change.kind === "cleared") {
      if (endpointId !== null) await endKpiAlert(tx, { endpointId, now }, { fingerprint, endedAt: change.since });
      endpointId = null;
      continue;
    }
    endpointId = await alertEndpoint(tx, {
      integrationIds: [integration.id],
      system: threshold.scope.kind === "system" ? threshold.scope.name : null,
    });
    if (endpointId === null) continue;
    const { unit } = kpiDefinition(threshold.kpi);
    const title = `${threshold.title}: ${threshold.kpi} of ${integration.key} is ${shown(change.value, unit)}, ${threshold.comparison} ${shown(threshold.value, unit)}`;
    await raiseKpiAlert(
      tx,
      { endpointId, now },
      {
        fingerprint,
        severity: threshold.severity,
        title,
        resource: { kind: "threshold", name: threshold.key },
        labels: { threshold: threshold.key, integration: integration.key, kpi: threshold.kpi },
        startedAt: change.since,
      },
    );
  }
  return endpointId;
}

/** Integrations that left the scope, or the catalogue's last one of it: their alerts end. */
async function dropLeft(tx: Tx, { threshold, integrations, states, now }: Look): Promise<void> {
  const here = new Set(integrations.map(({ id }) => id));
  for (const { integrationId, endpointId } of states.values()) {
    if (here.has(integrationId)) continue;
    if (endpointId !== null)
      await endKpiAlert(tx, { endpointId, now }, { fingerprint: thresholdFingerprint(threshold.key, integrationId), endedAt: now });
    await tx.execute(sql`delete from threshold_state where threshold_id = ${threshold.id} and integration_id = ${integrationId}`);
  }
}

async function changeEvent(
  tx: Tx,
  of: { readonly threshold: ThresholdRow; readonly integration: MeasuredIntegration; readonly change: ThresholdChange },
): Promise<void> {
  const { threshold, integration, change } = of;
  await appendEvents(tx, [
    {
      kind: change.kind === "broke" ? "threshold.broke" : "threshold.cleared",
      subjectKind: "threshold",
      subjectKey: threshold.key,
      integrationKey: integration.key,
      payload: { title: threshold.title, kpi: threshold.kpi, value: change.value, since: payloadInstant(change.since) },
    },
  ]);
}

function shown(value: number, unit: string): string {
  if (unit === "share") return `${Number((value * 100).toPrecision(4))} %`;
  const digits = String(Number(value.toPrecision(4)));
  return unit === "count" ? digits : `${digits} ${unit}`;
}
