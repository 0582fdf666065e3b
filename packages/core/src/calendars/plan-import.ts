import type { WindowScope } from "../catalog/window-scope.js";
import type { ZoneData } from "../time/zone-data.js";
import { windowAt } from "../windows/window-at.js";
import type { WindowInput, WindowMode } from "../windows/window-input.js";
import type { WindowKind } from "../windows/window-kinds.js";
import type { JCalComponent } from "./jcal.js";
import { type EventName, readEvents, type RefusedEvent } from "./read-events.js";

/** What an operator says about a vendor's calendar: whose windows its events are and what they cover. */
export interface ImportSettings {
  readonly scope: WindowScope;
  /** What its events are; left out, as in settings of before: maintenance. */
  readonly kind?: WindowKind | undefined;
  readonly mode: WindowMode;
  readonly owner: string;
  readonly reason: string;
  /** The zone of whole days and of times without a zone; null: what the calendar says, and if it says nothing such events are refused. */
  readonly timeZone: string | null;
  /** IANA zones for TZIDs that only the operator knows. */
  readonly zoneMap: Readonly<Record<string, string>>;
  /** Only events whose title contains this, capitals or not; null: all. */
  readonly titleContains: string | null;
}

/** A window that the calendar asks for. */
export interface PlannedWindow extends EventName {
  readonly input: WindowInput;
}

export interface ImportPlan {
  readonly windows: readonly PlannedWindow[];
  readonly refused: readonly RefusedEvent[];
  /** Understood, and over: nothing of them lies ahead. */
  readonly over: readonly EventName[];
}

/** Asked when the deployment reads a feed of its own: its windows would come back as new ones, for ever. */
const OWN_EVENT = {
  code: "QSC_CALENDAR_OWN_EVENT",
  message:
    "The event is a window of this very deployment, from one of its own feeds. Import the calendar that the window was made from instead.",
} as const;

/** The windows that a calendar asks for at `now` (epoch ms), and what of it was not understood. `ownDomain` ends the UIDs of this deployment's feeds. */
export function planImport(
  calendar: JCalComponent,
  input: { readonly settings: ImportSettings; readonly now: number; readonly ownDomain: string },
  zones: ZoneData,
): ImportPlan {
  const { settings, now } = input;
  const part = settings.titleContains?.toLowerCase() ?? "";
  const wants = (title: string): boolean => title.toLowerCase().includes(part);
  const { events, refused } = readEvents(calendar, { ...settings, wants, now }, zones);
  const isOwn = ({ uid }: EventName): boolean => uid.endsWith(`@${input.ownDomain}`);
  const windows: PlannedWindow[] = [];
  const over: EventName[] = [];
  for (const { uid, recurrenceId, title, series } of events.filter((event) => !isOwn(event))) {
    const at = windowAt(series, now, zones);
    if (!at.inWindow && at.nextStart === null) over.push({ uid, recurrenceId });
    else {
      const { scope, kind = "maintenance", mode, owner, reason } = settings;
      // Left out where it is the usual one: windows of before are not changed for it.
      const ofKind = kind === "maintenance" ? {} : { kind };
      windows.push({ uid, recurrenceId, input: { title, ...ofKind, mode, series, scope, owner, reason } });
    }
  }
  const own = events.filter(isOwn).map(({ uid, recurrenceId, title }) => ({ uid, recurrenceId, title, ...OWN_EVENT }));
  return { windows, over, refused: [...refused.filter(({ title }) => wants(title)), ...own] };
}
