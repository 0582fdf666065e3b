import {
  DomainError,
  type ImportSettings,
  requireZone,
  slugSchema,
  windowKinds,
  windowModes,
  windowScopeSchema,
  type ZoneData,
} from "@quiesce/core";
import { z } from "zod";
import { parsed } from "../windows/parse-input.js";

/** How often a calendar may be read. */
export const LEAST_EVERY_SECONDS = 60;
const MOST_EVERY_SECONDS = 7 * 86_400;
const MAX_MAPPED_ZONES = 100;

const importInputSchema = z.strictObject({
  key: slugSchema.max(50, "Expected a key of at most 50 characters: the keys of the windows begin with it."),
  title: z.string().trim().min(1).max(200).optional(),
  everySeconds: z.int().min(LEAST_EVERY_SECONDS).max(MOST_EVERY_SECONDS).default(3_600),
  scope: windowScopeSchema,
  kind: z.enum(windowKinds).default("maintenance"),
  mode: z.enum(windowModes).default("enforce"),
  owner: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(2_000),
  timeZone: z.string().max(64).nullable().default(null),
  zoneMap: z
    .record(z.string().min(1).max(200), z.string().max(64))
    .default({})
    .refine((map) => Object.keys(map).length <= MAX_MAPPED_ZONES, `Expected at most ${MAX_MAPPED_ZONES} mapped zones.`),
  titleContains: z.string().trim().min(1).max(200).nullable().default(null),
});
export type ImportInput = z.input<typeof importInputSchema>;

/** The parsed input of an import. Throws QSC_CALENDAR_IMPORT_INVALID, QSC_TIME_ZONE_UNKNOWN. */
export function parseImportInput(
  input: ImportInput,
  zones: ZoneData,
): {
  readonly key: string;
  readonly title: string;
  readonly everySeconds: number;
  readonly settings: ImportSettings;
} {
  const { key, title, everySeconds, ...settings } = parsed(importInputSchema, input, "QSC_CALENDAR_IMPORT_INVALID");
  if (settings.timeZone !== null) requireZone(zones, settings.timeZone);
  for (const [tzid, name] of Object.entries(settings.zoneMap)) {
    if (zones.zone(name) === undefined)
      throw new DomainError(
        "QSC_TIME_ZONE_UNKNOWN",
        `"${name}", for "${tzid}", is not a time zone of the IANA database ${zones.version}.`,
        { field: "zoneMap" },
      );
  }
  return { key, title: title ?? key, everySeconds, settings };
}
