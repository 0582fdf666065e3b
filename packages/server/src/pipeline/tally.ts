import type { RunFigures } from "../runs/run-figures.js";

/** What a page, or a run, did by record. */
export type Figures = { readonly [name in "read" | "written" | "unchanged" | "deleted" | "dead"]: number } & {
  /** What the mapping's condition passed over; left out where there was none. */
  readonly skipped?: number;
};

export const noFigures: Figures = { read: 0, written: 0, unchanged: 0, deleted: 0, dead: 0 };

/** Adds up what was committed; an attempt goes on from what earlier attempts of the same run have committed. */
export interface Tally {
  readonly figures: Figures;
  /** The figures with a page's added; they become the tally's own once that page is committed. */
  plus(more: Partial<Figures>): Figures;
  commit(figures: Figures): void;
}

export function createTally(earlier: RunFigures | null): Tally {
  let figures: Figures = { ...noFigures, ...pick(earlier ?? {}) };
  return {
    get figures() {
      return figures;
    },
    plus: (more) => sum(figures, { ...noFigures, ...more }),
    commit(next) {
      figures = next;
    },
  };
}

function sum(a: Figures, b: Figures): Figures {
  return {
    read: a.read + b.read,
    written: a.written + b.written,
    unchanged: a.unchanged + b.unchanged,
    deleted: a.deleted + b.deleted,
    dead: a.dead + b.dead,
    ...skippedOf((a.skipped ?? 0) + (b.skipped ?? 0)),
  };
}

function pick(figures: RunFigures): Partial<Figures> {
  const { read = 0, written = 0, unchanged = 0, deleted = 0, dead = 0, skipped = 0 } = figures;
  return { read, written, unchanged, deleted, dead, ...skippedOf(skipped) };
}

function skippedOf(skipped: number): { readonly skipped?: number } {
  return skipped === 0 ? {} : { skipped };
}
