import type { ZoneData } from "../time/zone-data.js";
import type { WindowSeries } from "../windows/window-series.js";

/** Something that a window of another tool covers; `label` is its name for people, where there is one. */
export interface ForeignEntity {
  readonly id: string;
  readonly label?: string | undefined;
}

/** A window as another tool has it. */
export interface ForeignWindow {
  /** As people find it there. */
  readonly name: string;
  /** Stays the same when the file is imported again. */
  readonly id: string;
  readonly entities: readonly ForeignEntity[];
  readonly series: readonly WindowSeries[];
  /** Nothing of it lies ahead. */
  readonly over: boolean;
  /** What of it could not be read, each a sentence. */
  readonly problems: readonly string[];
}

/** What the converters need beside the document. */
export interface ImportFacts {
  /** Epoch ms. */
  readonly now: number;
  readonly zones: ZoneData;
}
