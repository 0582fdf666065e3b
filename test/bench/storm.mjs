import { CORRELATION_TICK_MS, Correlator } from "../../packages/core/dist/index.js";

export const stormSettings = { nodes: 5_000, alertsPerSecond: 50_000, ticks: 24 };

/** A number generator that gives the same numbers for the same seed (mulberry32). */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Milliseconds of CPU of this process: unlike the clock they do not grow with what else the machine does. */
function cpuMsOf(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/**
 * Every node alerts again and again, ten checks each: nothing but the incidents' own limits keeps this storm small. Each round begins after a silence that
 * makes all nodes new, so that ticks with thousands of walks are among those measured, not only repeats.
 */
export function storm({ nodes, alertsPerSecond, ticks } = stormSettings) {
  const random = seeded(7);
  const topology = Array.from({ length: nodes }, (_, node) => ({
    key: `n${node}`,
    dependsOn: Array.from({ length: node === 0 ? 0 : 3 }, () => `n${Math.floor(random() ** 1.5 * Math.max(1, node * 0.6))}`),
  }));
  const correlator = new Correlator({ topology, rules: [] });
  const perTick = (alertsPerSecond * CORRELATION_TICK_MS) / 1_000;
  const observeMs = [];
  const tickMs = [];
  let now = Date.UTC(2026, 0, 5);
  let written = 0;
  for (let tick = 0; tick < ticks; tick += 1) {
    // A third of the way and two thirds: an hour of silence, after which everything is new.
    const silentMs = tick > 0 && tick % (ticks / 3) === 0 ? 3_600_000 : 0;
    const from = now + silentMs;
    now = from + CORRELATION_TICK_MS;
    const alerts = Array.from({ length: perTick }, (_, n) => {
      const node = Math.floor(random() * nodes);
      const heardAt = from + 1 + Math.floor((n / perTick) * (CORRELATION_TICK_MS - 1));
      const fingerprint = `n${node}/${n % 10}`;
      return {
        id: `a${(written += 1)}`,
        fingerprint,
        node: `n${node}`,
        severity: n % 50 === 0 ? "critical" : "major",
        title: fingerprint,
        source: "monitor",
        kind: "service",
        startedAt: heardAt - Math.floor(random() * 10_000),
        heardAt,
      };
    });
    if (silentMs > 0) correlator.tick(from);
    globalThis.gc?.();
    observeMs.push(
      cpuMsOf(() => {
        for (const alert of alerts) correlator.observe(alert);
      }),
    );
    tickMs.push(cpuMsOf(() => correlator.tick(now)));
  }
  const sorted = tickMs.toSorted((a, b) => a - b);
  const busyMs = [...observeMs, ...tickMs].reduce((sum, value) => sum + value, 0);
  return {
    observeNs: (observeMs.reduce((sum, value) => sum + value, 0) / (perTick * ticks)) * 1e6,
    tickP50Ms: sorted[Math.floor(sorted.length / 2)],
    tickMaxMs: sorted.at(-1),
    share: busyMs / (ticks * CORRELATION_TICK_MS),
    alerts: perTick * ticks,
  };
}
