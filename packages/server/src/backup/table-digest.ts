import { createHash } from "node:crypto";
import type { TableSum } from "./backup-records.js";

const newline = 0x0a;

/** Counts rows and digests them while they pass. */
export interface TableDigest {
  add(piece: Buffer): void;
  sum(): TableSum;
}

/** COPY's text format writes every row on one line: a line break in a value is written as \n. */
export function tableDigest(table: string): TableDigest {
  const hash = createHash("sha256");
  let rows = 0;
  return {
    add(piece) {
      hash.update(piece);
      for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) rows += 1;
    },
    sum: () => ({ table, rows, digest: hash.digest("hex") }),
  };
}

/** What of two lists of sums differs, in words. */
export function differencesOf(expected: readonly TableSum[], found: readonly TableSum[]): readonly string[] {
  const byTable = new Map(found.map((sum) => [sum.table, sum]));
  return expected.flatMap(({ table, rows, digest }) => {
    const other = byTable.get(table);
    if (other?.rows === rows && other.digest === digest) return [];
    return [`${table} (${rows} rows in the backup, ${other === undefined ? "no table" : `${other.rows} found`})`];
  });
}
