import type { LiveItem } from "./live-bus.js";
import type { EventPlace, LoggedEvent } from "./event-log.js";
import type { SeesEvent } from "./visible-events.js";

type Matches = (event: LoggedEvent) => boolean;

/** Something relevant happened up to this cursor: read the state again. */
export interface Pulse {
  readonly cursor: string;
}

interface Shared<Item> extends AsyncIterable<Item> {
  /** Where this subscriber begins; what it asks for besides is the same for all who share. */
  readonly place: EventPlace;
}

/** Events, in order, without a gap. */
export interface LogSource extends Shared<LiveItem> {
  readonly kind: "log";
  readonly matches: Matches;
  readonly heartbeatMs: number;
  /** Left out: the caller may know of every event. */
  readonly sees?: SeesEvent | undefined;
}

/** A state that is read at once, and again after relevant events, at most every `minIntervalMs`. */
export interface StateSource extends Shared<Pulse> {
  readonly kind: "state";
  readonly matches: Matches;
  readonly minIntervalMs: number;
}

/** What a subscription field answers: not a stream of its own, but which feed its subscriber is to share. */
export type LiveSource = LogSource | StateSource;

/** GraphQL wants an async iterable of a subscription field; the feeds read the fields instead. */
function iterated(): never {
  throw new Error("A live source is joined through the shared feeds, not iterated.");
}

export function logSource(source: Pick<LogSource, "place" | "matches" | "heartbeatMs" | "sees">): LogSource {
  return { kind: "log", ...source, [Symbol.asyncIterator]: iterated };
}

export function stateSource(source: Pick<StateSource, "place" | "matches" | "minIntervalMs">): StateSource {
  return { kind: "state", ...source, [Symbol.asyncIterator]: iterated };
}

export function isLiveSource(value: object): value is LiveSource {
  return "kind" in value && "place" in value && (value.kind === "log" || value.kind === "state");
}
