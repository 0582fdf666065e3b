import type { IntlShape } from "react-intl";
import type { Times } from "../app/times.js";
import type { AlertReason } from "./alert-groups.js";

interface Speaking {
  readonly intl: Pick<IntlShape, "formatMessage">;
  readonly times: Times;
}

/** The values that every message about a reason may use. */
function valuesOf({ rule, path, until }: AlertReason, times: Times) {
  return {
    rule: windowOf(rule) ?? rule,
    path,
    cause: path.split(" > ").at(-1) ?? path,
    until: until === null ? "none" : times.instant(until),
  };
}

/** Why one alert is kept quiet or marked: "In the window erp-patch until 06:00 (system erp)." */
export function reasonSentence(reason: AlertReason, { intl, times }: Speaking): string {
  const values = valuesOf(reason, times);
  if (!reason.mutes) return intl.formatMessage({ id: "incidents.reason.marked" }, values);
  return intl.formatMessage({ id: `incidents.reason.${reason.kind}` }, values);
}

/** Why several are: "18 alerts are quiet because of erp-patch; whatever still fires at 06:00 is raised then." */
export function quietSentence(reason: AlertReason, count: number, { intl, times }: Speaking): string {
  return intl.formatMessage({ id: `incidents.suppressed.${reason.kind}` }, { ...valuesOf(reason, times), count });
}

/** The key of the window in window@localStart; null for other rules. */
export function windowOf(rule: string): string | null {
  return /^(.+)@\d{4}-\d{2}-\d{2}T/.exec(rule)?.[1] ?? null;
}
