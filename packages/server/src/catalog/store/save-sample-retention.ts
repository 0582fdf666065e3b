import {
  checkSampleRetention,
  DomainError,
  EVERY_METRIC_KEY,
  retentionEntryOf,
  type SampleRetentionEntry,
  saidRetention,
  unsaidOf,
  unsaidRetention,
  workspaceProblem,
  type WorkspaceProblem,
} from "@quiesce/core";
import type { Tx } from "../../db/client.js";
import { writeSampleRetention } from "../../kpis/retention/commands.js";
import { usualRetention } from "../../retention/settings.js";
import { everyMetric, retentionRows } from "../../kpis/retention/store.js";
import type { CatalogContext } from "../catalog-context.js";

/** A reason of an apply may be longer than one of this room. */
const charactersOfReason = 1_000;

/** For how many days samples are kept of which nothing is said. */
export function sampleDaysOf({ sampleRetentionDays }: Pick<CatalogContext, "sampleRetentionDays">): number {
  return sampleRetentionDays ?? usualRetention.kpi_sample;
}

/** What is said about how long metrics are kept. */
export async function loadSampleRetention(tx: Tx): Promise<SampleRetentionEntry[]> {
  const rows = await retentionRows(tx);
  return rows.flatMap(({ metric, days }) => retentionEntryOf(metric === everyMetric ? null : metric, days) ?? []);
}

/** Days out of their bounds, or fewer than those of a finer class; judged by what the document says of every metric, or else by what is said already. */
export function sampleRetentionProblems(
  entries: readonly SampleRetentionEntry[],
  { standing, sampleDays }: { readonly standing: readonly SampleRetentionEntry[]; readonly sampleDays: number },
): readonly WorkspaceProblem[] {
  const every = [...entries, ...standing].find(({ key }) => key === EVERY_METRIC_KEY);
  const general = every === undefined ? unsaidRetention : saidRetention(every).days;
  return entries.flatMap((entry, index) => {
    try {
      checkSampleRetention(saidRetention(entry), { general, sampleDays });
      return [];
    } catch (error) {
      if (error instanceof DomainError) return [workspaceProblem(["sampleRetention", index], `${entry.key}: ${error.message}`)];
      throw error;
    }
  });
}

/** Says for how long metrics are kept, in the place of what was said before, with their audit entries and events. */
export async function saveSampleRetention(
  tx: Tx,
  context: CatalogContext,
  { entries, reason }: { readonly entries: readonly SampleRetentionEntry[]; readonly reason: string },
): Promise<void> {
  // What is said of every metric first: the others are judged by it.
  const ordered = entries.toSorted((a, b) => Number(b.key === EVERY_METRIC_KEY) - Number(a.key === EVERY_METRIC_KEY));
  for (const entry of ordered) await write(tx, context, { ...saidRetention(entry), reason });
}

/** Takes back what was said of metrics. */
export async function deleteSampleRetention(
  tx: Tx,
  context: CatalogContext,
  { keys, reason }: { readonly keys: ReadonlySet<string>; readonly reason: string },
): Promise<void> {
  for (const key of keys) await write(tx, context, { ...unsaidOf(key), reason });
}

function write(tx: Tx, context: CatalogContext, said: ReturnType<typeof saidRetention> & { readonly reason: string }): Promise<void> {
  return writeSampleRetention(tx, context, {
    ...said,
    reason: said.reason.slice(0, charactersOfReason),
    sampleDays: sampleDaysOf(context),
  });
}
