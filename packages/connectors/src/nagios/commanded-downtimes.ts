import { z, type Json } from "@quiesce/sdk";
import type { NagiosContext } from "./nagios-query.js";

/**
 * Commands whose effect the status file may not show yet. Nagios answers no command, and shows a downtime only with its next status update: whoever
 * asked again in between would schedule it twice. So a command is noted before it is given; a note that turns out wrong (killed in between, refused
 * in silence) is forgotten after `statusDelaySeconds`, and the next look finds what is missing.
 */
export interface CommandedDowntimes {
  readonly scheduled: readonly ScheduledNote[];
  readonly deleted: readonly DeletedNote[];
}

const scheduledSchema = z.object({
  windowId: z.string(),
  resource: z.string(),
  startMs: z.number(),
  endMs: z.number(),
  title: z.string(),
  /** When it was commanded, epoch milliseconds. */
  atMs: z.number(),
});
const deletedSchema = z.object({ id: z.int(), atMs: z.number() });
const notesSchema = z.object({ scheduled: z.array(scheduledSchema), deleted: z.array(deletedSchema) });

export type ScheduledNote = z.output<typeof scheduledSchema>;
type DeletedNote = z.output<typeof deletedSchema>;

const STATE_NAME = "commanded-downtimes";
/** The state store keeps 64 KiB under a name, in base64 a third more than here; the oldest notes go first. */
const MAX_NOTES_BYTES = 45_000;

/** The notes that still count. */
export async function readCommanded(x: NagiosContext): Promise<CommandedDowntimes> {
  const parsed = notesSchema.safeParse(unwrapped(await x.state.get(STATE_NAME)));
  if (!parsed.success) return { scheduled: [], deleted: [] };
  const sinceMs = x.clock.now().getTime() - x.config.statusDelaySeconds * 1_000;
  return {
    scheduled: parsed.data.scheduled.filter((note) => note.atMs > sinceMs),
    deleted: parsed.data.deleted.filter((note) => note.atMs > sinceMs),
  };
}

/** Keeps the notes for as long as they count. */
export async function noteCommanded(x: NagiosContext, notes: CommandedDowntimes): Promise<void> {
  const kept = { scheduled: [...notes.scheduled], deleted: notes.deleted };
  while (kept.scheduled.length > 0 && Buffer.byteLength(JSON.stringify(kept)) > MAX_NOTES_BYTES) kept.scheduled.shift();
  await x.state.set(STATE_NAME, wrapped(kept), { ttlMs: x.config.statusDelaySeconds * 1_000 });
}

/** A host takes texts of the state for secrets, and strikes them out of what a connector answers: names of windows must not be among them. */
function wrapped(notes: CommandedDowntimes): string {
  return Buffer.from(JSON.stringify(notes), "utf8").toString("base64");
}

function unwrapped(value: Json | undefined): unknown {
  if (typeof value !== "string") return undefined;
  try {
    return JSON.parse(Buffer.from(value, "base64").toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
