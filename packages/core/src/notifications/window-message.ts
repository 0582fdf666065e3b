import { usualEndpointMessages } from "./endpoint-message.js";
import { usualIncidentMessages } from "./incident-message.js";
import type { OccurrenceState } from "../windows/occurrence-state.js";
import type { WindowMode } from "../windows/window-input.js";

/**
 * The events of windows that teams are told unless a webhook names its own: a day before, when that changes or is called off, at the start, when the
 * crew may begin and no longer may, when the systems are not ready in time, at the end, while nobody has approved, and when a change came to lie in a freeze without anybody's word. Any other kind is told to the
 * webhooks that name it, also one that does not exist yet.
 */
export const usualMessages: readonly string[] = [
  "window.announced",
  "window.replanned",
  "window.retracted",
  "window.opened",
  "window.quiesced",
  "window.unquiesced",
  "window.overrun",
  "window.released",
  "window.unapproved",
  ...usualEndpointMessages,
  ...usualIncidentMessages,
  "window.freeze-entered",
];

/** How long before its start an occurrence is announced. */
export const announceLeadMs = 24 * 3_600_000;

/** Integrations that a message names; the count says how many there are. */
export const maxNamedIntegrations = 50;

/** Whether a webhook is told an event. `observing`: nothing is held by it, which only webhooks that ask for it want to hear. */
export function isTold(
  webhook: { readonly events: readonly string[]; readonly observe: boolean },
  event: { readonly kind: string; readonly observing: boolean },
): boolean {
  if (event.observing && !webhook.observe) return false;
  const wanted = webhook.events.length === 0 ? usualMessages : webhook.events;
  if (wanted.includes(event.kind)) return true;
  // Webhooks that ask for everything about windows are told of endpoints too, as ever; incidents are a word of their own.
  return event.kind.startsWith("incident.") ? wanted.includes("incident.*") : wanted.includes("window.*");
}

/** What a message tells of its window, as of the moment of the event. Instants are epoch milliseconds. */
export interface WindowMessageFacts {
  readonly kind: string;
  readonly at: number;
  readonly window: {
    readonly key: string;
    readonly title: string;
    readonly kind: string;
    readonly mode: WindowMode;
    readonly owner: string;
    readonly reason: string;
  };
  /** null: the event is about the whole series. */
  readonly occurrence: {
    readonly localStart: string;
    readonly localEnd: string;
    readonly timeZone: string;
    readonly startsAt: number;
    readonly endsAt: number;
    readonly state: OccurrenceState;
  } | null;
  readonly integrations: readonly string[];
  readonly integrationCount: number;
  /** The event's own payload. */
  readonly event: { readonly [name: string]: unknown };
}

/** The body of a message in the shape of Standard Webhooks: `type`, `timestamp` and `data`. */
export function windowMessage(facts: WindowMessageFacts): { readonly [name: string]: unknown } {
  const { kind, at, window, occurrence, integrations, integrationCount, event } = facts;
  return {
    type: kind,
    timestamp: iso(at),
    data: {
      window,
      occurrence: occurrence === null ? null : { ...occurrence, startsAt: iso(occurrence.startsAt), endsAt: iso(occurrence.endsAt) },
      integrations: integrations.slice(0, maxNamedIntegrations),
      integrationCount,
      event,
    },
  };
}

const iso = (instant: number): string => new Date(instant).toISOString();
