import { z } from "zod";
import { windowModes } from "../windows/window-input.js";
import { windowKinds } from "../windows/window-kinds.js";
import { durationSchema } from "./duration-text.js";
import { secretSchema } from "./secret-schema.js";
import { slugSchema } from "./slug.js";
import { sortedJson } from "./sorted-json.js";
import { strictObject } from "./strict-object.js";
import { canonicalScope, windowScopeSchema } from "./window-scope.js";

const MAX_MAPPED_ZONES = 100;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The keys of its windows begin with a calendar's key. */
const MAX_KEY_CHARACTERS = 50;

const zoneName = z.string().trim().min(1).max(64);

/** Somebody else's calendar whose events are windows here, read again and again from an address that is a secret. */
export const calendarSchema = strictObject({
  key: slugSchema.max(MAX_KEY_CHARACTERS, `Expected at most ${MAX_KEY_CHARACTERS} characters: the keys of its windows begin with it.`),
  title: z.string().trim().min(1).max(200).optional(),
  /** Addresses of calendars carry secrets. */
  url: secretSchema,
  every: durationSchema({ minMs: MINUTE_MS, maxMs: 7 * DAY_MS, stepMs: 1_000 }).default("1h"),
  scope: windowScopeSchema.transform(canonicalScope),
  /** What its events are: a vendor's maintenance, changes of a board, freezes of finance. */
  kind: z.enum(windowKinds).default("maintenance"),
  mode: z.enum(windowModes).default("enforce"),
  owner: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(2_000),
  /** The zone of whole days and of times without a zone. */
  timeZone: zoneName.nullable().default(null),
  /** IANA zones for names that only this calendar knows. */
  zoneMap: z
    .record(z.string().min(1).max(200), zoneName)
    .default({})
    .refine((map) => Object.keys(map).length <= MAX_MAPPED_ZONES, { message: `Expected at most ${MAX_MAPPED_ZONES} mapped zones.` })
    .transform(sortedJson),
  /** Only events whose title contains this. */
  titleContains: z.string().trim().min(1).max(200).nullable().default(null),
}).transform((calendar) => ({ ...calendar, title: calendar.title ?? calendar.key }));

export type CalendarEntry = z.output<typeof calendarSchema>;
