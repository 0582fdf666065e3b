import { pairName, type PipedAlert, withReason } from "./piped-alert.js";

/** Beginnings are counted over so long. */
export const flapWindowMs = 600_000;
/** It flaps from so many beginnings on, and until there are no more than so few. */
export const flapBeginnings = { enter: 5, leave: 2 } as const;

/** An alert that comes and goes: it is kept quiet from its fifth beginning within ten minutes until it has calmed down. */
export function flapStep(alerts: readonly PipedAlert[], now: number): readonly PipedAlert[] {
  const beginnings = new Map<string, number>();
  const wasFlapping = new Set<string>();
  for (const alert of alerts) {
    if (alert.startedAt > now - flapWindowMs) beginnings.set(nameOf(alert), (beginnings.get(nameOf(alert)) ?? 0) + 1);
    if (alert.wasFlapping) wasFlapping.add(nameOf(alert));
  }
  const flapping = new Map(
    [...beginnings].filter(([name, count]) => count >= (wasFlapping.has(name) ? flapBeginnings.leave + 1 : flapBeginnings.enter)),
  );
  if (flapping.size === 0) return alerts;
  return alerts.map((alert) => {
    const count = flapping.get(nameOf(alert));
    if (count === undefined) return alert;
    const reason = `It began ${count} times within ten minutes.`;
    return withReason(alert, { kind: "flapping", rule: "flap-guard", path: `${count} times`, reason, until: null });
  });
}

function nameOf({ source, fingerprint }: PipedAlert): string {
  return pairName(source, fingerprint);
}
