import type { Story } from "./story.js";

interface ResumeEvent {
  readonly kind: string;
  readonly name: string;
  readonly at: number;
  readonly reason: string | null;
  readonly checks: number | null;
  readonly endpoint: string | null;
  readonly ok: boolean | null;
  readonly mode: string | null;
}

/** What an occurrence that ended waits for: so many systems, and those that have said they are ready. */
interface Asking {
  readonly checks: number;
  readonly ready: Set<string>;
}

/**
 * The end of a window is permission, not an order: where its plan asks the systems it lets nothing go because its end was reached, and nothing
 * because they are ready before each of them has said so.
 */
export async function checkResumes(story: Story): Promise<void> {
  const events = await story.database.sql<ResumeEvent[]>`
    select kind, subject_key || '/' || (payload ->> 'localStart') as name, at, payload ->> 'reason' as reason, (payload ->> 'checks')::integer as checks,
      payload ->> 'endpoint' as endpoint, (payload ->> 'ok')::boolean as ok, payload ->> 'mode' as mode
    from event_inbox where kind in ('window.verification-started', 'window.readiness-checked', 'window.released', 'control.mode-changed') order by id`;
  const asked = new Map<string, Asking>();
  for (const [index, event] of events.entries()) {
    const asking = asked.get(event.name);
    if (event.kind === "window.verification-started") asked.set(event.name, { checks: event.checks ?? 0, ready: new Set() });
    if (event.kind === "window.readiness-checked" && event.ok === true) asking?.ready.add(event.endpoint ?? "");
    if (event.kind !== "window.released") continue;
    const when = `${event.name} was released at ${new Date(event.at).toISOString()}`;
    if (event.reason === "its systems are ready" && (asking === undefined || asking.ready.size < asking.checks))
      story.broken(`${when}, and ${asking?.ready.size ?? 0} of ${asking?.checks ?? "the"} systems had said that they are ready`);
    if (event.reason === "its end was reached" && story.holds.asksSystems(event.name) && enforced(events, index))
      story.broken(`${when} because its end was reached, and its systems were not asked`);
  }
}

/** Whether the whole deployment enforced when this happened, for certain: what only observes has nothing to wait with. By the order of events, since the clock may have been set back. */
function enforced(events: readonly ResumeEvent[], index: number): boolean {
  const changes = events.map((event, at) => ({ ...event, index: at })).filter(({ kind }) => kind === "control.mode-changed");
  const before = changes.filter((change) => change.index < index);
  return (before.at(-1)?.mode ?? "enforce") === "enforce" && !changes.some((change) => change.at === events[index]?.at);
}
