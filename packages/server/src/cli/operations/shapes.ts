import { z } from "zod";
import { GRANT_FIELDS, grantsShape } from "../grants.js";

/** Shapes of what the server answers, as far as the command line reads it. Instants stay text, as the server wrote them: `--json` prints them so. */
const instantText = z.string();

const scopeShape = z.object({
  all: z.boolean(),
  integrations: z.array(z.string()),
  systems: z.array(z.string()),
  tags: z.array(z.string()),
});
export type Scope = z.infer<typeof scopeShape>;

export const occurrenceShape = z.object({
  key: z.string(),
  state: z.string(),
  localStart: z.string(),
  localEnd: z.string(),
  timeZone: z.string(),
  startsAt: instantText,
  endsAt: instantText,
  notes: z.array(z.string()),
  releasedAt: instantText.nullable(),
  inFlight: z.number(),
  heldRuns: z.number(),
  hold: z.object({ expiresAt: instantText.nullable() }).nullable(),
  resume: z.object({ sentence: z.string() }).nullable().optional(),
});
export type OccurrenceAnswer = z.infer<typeof occurrenceShape>;
export const OCCURRENCE_FIELDS =
  "key state localStart localEnd timeZone startsAt endsAt notes releasedAt inFlight heldRuns hold { expiresAt } resume { sentence }";

export const memberShape = z.object({ path: z.string(), integration: z.object({ key: z.string(), name: z.string() }) });
export const MEMBER_FIELDS = "path integration { key name }";

export const windowShape = z.object({
  key: z.string(),
  title: z.string(),
  kind: z.string(),
  mode: z.string(),
  owner: z.string(),
  reason: z.string(),
  version: z.number(),
  cancelledAt: instantText.nullable(),
  approval: z
    .object({
      state: z.string(),
      requestedBy: z.string(),
      needed: z.array(z.object({ policy: z.string(), by: z.array(z.string()) })),
      given: z.array(z.object({ policy: z.string(), by: z.string() })),
    })
    .nullable(),
  scope: scopeShape,
  series: z.object({
    start: z.string(),
    end: z.string().nullable(),
    duration: z.string().nullable(),
    timeZone: z.string(),
    rrule: z.string().nullable(),
  }),
  nextStart: instantText.nullable().optional(),
  currentOrNext: occurrenceShape.nullable(),
});
export type WindowAnswer = z.infer<typeof windowShape>;
export const WINDOW_FIELDS = `key title kind mode owner reason version cancelledAt approval { state requestedBy needed { policy by } given { policy by } }
  scope { all integrations systems tags } series { start end duration timeZone rrule } nextStart currentOrNext { ${OCCURRENCE_FIELDS} }`;

export const holdShape = z.object({
  id: z.string(),
  key: z.string(),
  kind: z.string(),
  mode: z.string(),
  state: z.string(),
  title: z.string(),
  owner: z.string(),
  reason: z.string(),
  beginsAt: instantText,
  expiresAt: instantText.nullable(),
  scope: scopeShape,
});
export const HOLD_FIELDS = "id key kind mode state title owner reason beginsAt expiresAt scope { all integrations systems tags }";

export const runShape = z.object({
  key: z.string(),
  state: z.string(),
  trigger: z.string(),
  dueAt: instantText,
  dueCount: z.number(),
  attempt: z.number(),
  startedAt: instantText.nullable(),
  finishedAt: instantText.nullable(),
  durationMs: z.number().nullable(),
  reason: z.string().nullable(),
  error: z.unknown(),
  job: z.object({ key: z.string() }).nullable(),
  integration: z.object({ key: z.string() }),
  heldBy: z.array(z.object({ key: z.string(), title: z.string() })),
});
export const RUN_FIELDS = `key state trigger dueAt dueCount attempt startedAt finishedAt durationMs reason error
  job { key } integration { key } heldBy { key title }`;

export const gateHoldShape = z.object({
  kind: z.string(),
  title: z.string(),
  owner: z.string(),
  reason: z.string(),
  since: instantText,
  until: instantText.nullable(),
});
export type GateHoldAnswer = z.infer<typeof gateHoldShape>;
export const GATE_HOLD_FIELDS = "kind title owner reason since until";

export const tokenShape = z.object({
  key: z.string(),
  name: z.string(),
  prefix: z.string(),
  grants: grantsShape,
  createdBy: z.string(),
  createdAt: instantText,
  expiresAt: instantText.nullable(),
  revokedAt: instantText.nullable(),
  lastUsedAt: instantText.nullable(),
});
export type TokenAnswer = z.infer<typeof tokenShape>;
export const TOKEN_FIELDS = `key name prefix ${GRANT_FIELDS} createdBy createdAt expiresAt revokedAt lastUsedAt`;

/** The instant of a text of the server's. */
export function instantOf(text: string): number {
  return Date.parse(text);
}

export function instantOrNull(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
