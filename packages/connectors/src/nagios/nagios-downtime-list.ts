import { z } from "@quiesce/sdk";
import type { NagiosObject } from "./nagios-name.js";
import { membersOf } from "./nagios-objects.js";
import { askStatus, type NagiosContext } from "./nagios-query.js";

const downtimeSchema = z.object({
  downtime_id: z.int(),
  type: z.enum(["host", "service"]),
  host_name: z.string(),
  service_description: z.string().optional(),
  start_time: z.number(),
  end_time: z.number(),
  is_in_effect: z.boolean().default(false),
  author: z.string().default(""),
  comment: z.string().default(""),
});

/** A downtime as the status file shows it. Instants are epoch milliseconds, whole seconds. */
export interface NagiosDowntime {
  readonly id: number;
  readonly object: NagiosObject;
  readonly startMs: number;
  readonly endMs: number;
  readonly isInEffect: boolean;
  readonly author: string;
  readonly comment: string;
}

/** All downtimes, those to come too. */
export async function listDowntimes(x: NagiosContext): Promise<readonly NagiosDowntime[]> {
  const { data } = await askStatus(x, { query: "downtimelist", details: "true" });
  return membersOf(data, "downtimelist", downtimeSchema).map((one) => ({
    id: one.downtime_id,
    object:
      one.type === "host" || one.service_description === undefined
        ? { host: one.host_name }
        : { host: one.host_name, service: one.service_description },
    startMs: one.start_time,
    endMs: one.end_time,
    isInEffect: one.is_in_effect,
    author: one.author,
    comment: one.comment,
  }));
}
