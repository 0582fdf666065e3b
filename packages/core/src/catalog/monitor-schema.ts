import { z } from "zod";
import { slugSchema } from "./slug.js";
import { strictObject } from "./strict-object.js";

/** How much one system may say of who watches it. */
export const MONITOR_LIMITS = { monitorsOfSystem: 20, resourcesOfMonitor: 200, nameCharacters: 500 } as const;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What a downtime at a monitor stops: its messages, or its looking as well. Monitors that know only one of both do that one. */
export const downtimeEffects = ["notifications", "checks"] as const;
export type DowntimeEffect = (typeof downtimeEffects)[number];

/** That an endpoint's system watches this one, and under which names: they are what a window over this system silences there. */
export const monitoredBySchema = strictObject({
  endpoint: slugSchema,
  /** Names as the monitor writes them: `erp`, `erp!orders-api`, `job=erp`. */
  resources: z
    .array(z.string().trim().min(1).max(MONITOR_LIMITS.nameCharacters))
    .min(1, "Expected at least one name of the system at this monitor, such as its host's.")
    .max(MONITOR_LIMITS.resourcesOfMonitor)
    .transform((names) => [...new Set(names)].toSorted(byText)),
  suppress: z.enum(downtimeEffects).default("notifications"),
});

/** The monitors of a system, by endpoint. */
export const monitorsSchema = z
  .array(monitoredBySchema)
  .max(MONITOR_LIMITS.monitorsOfSystem)
  .default([])
  .transform((monitors) => monitors.toSorted((a, b) => byText(a.endpoint, b.endpoint)));

export type MonitoredBy = z.output<typeof monitoredBySchema>;
