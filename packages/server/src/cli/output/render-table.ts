import { displayWidth, pad, plainText, truncate } from "./plain-text.js";
import type { Styles } from "./styles.js";

/** One column of a table for people. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: "left" | "right";
  /** Applied after the text was measured and cut. */
  readonly style?: (text: string, row: Row) => string;
  /** May be cut where the terminal is narrow; the others keep their text. */
  readonly flexible?: boolean;
}

const GAP = "  ";
const NARROWEST = 6;

/**
 * The lines of a table: a header and aligned rows. `width` is the terminal's; without it (a pipe, a file) nothing is cut.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { readonly width: number | undefined; readonly styles: Styles; readonly header?: boolean },
): readonly string[] {
  const cells = rows.map((row) => columns.map((column) => plainText(column.value(row))));
  const natural = columns.map((column, index) =>
    Math.max(options.header === false ? 0 : displayWidth(column.title), ...cells.map((line) => displayWidth(line[index] ?? ""))),
  );
  const widths = options.width === undefined ? natural : fit(columns, natural, options.width);
  const line = (texts: readonly string[], style: (text: string, index: number) => string): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const column = columns[index];
        const last = index === texts.length - 1 && column?.align !== "right";
        const cut = truncate(text, width);
        const filled = last ? cut : pad(cut, width, column?.align);
        return style(filled, index);
      })
      .filter((_, index) => (widths[index] ?? 0) > 0)
      .join(GAP)
      .trimEnd();
  const header =
    options.header === false
      ? []
      : [
          line(
            columns.map((column) => column.title),
            (text) => options.styles.dim(text),
          ),
        ];
  return [
    ...header,
    ...rows.map((row, rowIndex) => line(cells[rowIndex] ?? [], (text, index) => columns[index]?.style?.(text, row) ?? text)),
  ];
}

/** Takes what is too much from the flexible columns, the widest first, then from the last columns, until the line fits. */
function fit<Row>(columns: readonly Column<Row>[], natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, one) => sum + (one > 0 ? one + GAP.length : 0), -GAP.length);
  while (total() > width) {
    const widest = widths.reduce(
      (best, one, index) => (columns[index]?.flexible === true && one > NARROWEST && one > (widths[best] ?? 0) ? index : best),
      -1,
    );
    if (widest >= 0) {
      widths[widest] = (widths[widest] ?? 0) - 1;
      continue;
    }
    const last = widths.findLastIndex((one) => one > 0);
    if (last <= 0) {
      widths[0] = Math.max(1, width);
      break;
    }
    const excess = total() - width;
    const rest = (widths[last] ?? 0) - excess;
    widths[last] = rest >= NARROWEST ? rest : 0;
  }
  return widths;
}
