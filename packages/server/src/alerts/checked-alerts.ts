import { alertLimits, alertProblem } from "@quiesce/core";
import { type Alert, ConnectorError } from "@quiesce/sdk";

/** What a connector gave as alerts, looked at. Throws `contract` for what is none: a monitor's fault or the connector's. */
export function checkedAlerts(said: unknown): readonly Alert[] {
  if (!Array.isArray(said)) throw new ConnectorError("bug", "The connector gave something that is no list of alerts.");
  if (said.length > alertLimits.alerts)
    throw new ConnectorError(
      "contract",
      `The connector gave ${said.length} alerts at once, at most ${alertLimits.alerts} are taken. Give them in pages.`,
    );
  for (const [index, one] of said.entries()) {
    const problem = alertProblem(one);
    if (problem !== undefined) throw new ConnectorError("contract", `Alert ${index + 1} of ${said.length}: ${problem}.`);
  }
  return said as readonly Alert[];
}
