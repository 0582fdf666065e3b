import { alertLimits } from "@quiesce/core";
import { type Alert, ConnectorError, type Cursor } from "@quiesce/sdk";
import { readNow } from "../command.js";
import type { OpenEndpoint } from "../connector-host/open-endpoint.js";
import { loadCursor, moveCursor, saveFigures } from "../pipeline/stream-state.js";
import { ownTransaction } from "../pipeline/own-transaction.js";
import type { RunWork } from "../pipeline/pipeline-run.js";
import { checkedAlerts } from "./checked-alerts.js";
import { takeAlerts } from "./take-alerts.js";

/** Where the cursor of an integration that takes alerts is kept, among those of streams. */
const ALERT_STREAM = "(alerts)";
/** All that fires at one monitor may be so many; a list of them has to be in memory as a whole. */
const MAX_SNAPSHOT = 100_000;

/**
 * One look of a claimed run at a monitor: each page is folded in together with its cursor, under the run's fence. A snapshot is folded in once it is
 * whole: half of one would end what is in the other half.
 * What a webhook told of meanwhile may be missing in it, and goes on firing.
 */
export async function pullAlerts(run: RunWork, source: { readonly id: number; readonly endpoint: OpenEndpoint }): Promise<void> {
  const { endpoint } = source;
  let cursor = await loadCursor(run.database.db, run.run.integrationId, ALERT_STREAM);
  const lookedAt = await readNow(run.database.db);
  const whole: Alert[] = [];
  for await (const page of endpoint.alerts({ cursor })) {
    const alerts = checkedAlerts(page.alerts);
    if (page.snapshot === true) {
      whole.push(...alerts);
      if (whole.length > MAX_SNAPSHOT)
        throw new ConnectorError(
          "contract",
          `The monitor lists more than ${MAX_SNAPSHOT} alerts; at most ${alertLimits.alerts} a page and ${MAX_SNAPSHOT} in all are taken.`,
        );
      if (page.more) continue;
    }
    const taken = page.snapshot === true ? whole : alerts;
    cursor = await take(
      run,
      { id: source.id, key: endpoint.key },
      { alerts: taken, completeAsOf: page.snapshot === true ? lookedAt : null, from: cursor, to: page.cursor },
    );
  }
}

async function take(
  run: RunWork,
  endpoint: { readonly id: number; readonly key: string },
  page: {
    readonly alerts: readonly Alert[];
    readonly completeAsOf: number | null;
    readonly from: Cursor | null;
    readonly to: Cursor | null;
  },
): Promise<Cursor | null> {
  const figures = await ownTransaction(run, async (tx) => {
    const { began, changed, ended, ignored } = await takeAlerts(tx, {
      endpoint,
      alerts: run.permit.mask.deep(page.alerts),
      completeAsOf: page.completeAsOf,
      now: await readNow(tx),
    });
    if (page.to !== null) await moveCursor(tx, run.run, { stream: ALERT_STREAM, from: page.from, to: page.to });
    const sum = run.tally.plus({ read: page.alerts.length, written: began + changed + ended, unchanged: ignored });
    await saveFigures(tx, run.run, sum);
    return sum;
  });
  run.tally.commit(figures);
  return page.to ?? page.from;
}
