/** Which table refers to which by a foreign key. */
export interface TableReference {
  readonly from: string;
  readonly to: string;
}

/**
 * Tables in an order in which they can be filled: what is referred to comes first, otherwise by name. A table that refers to itself is no obstacle.
 * Throws for a circle, which this product's schema does not have.
 */
export function orderTables(tables: readonly string[], references: readonly TableReference[]): readonly string[] {
  const ordered: string[] = [];
  let waiting = tables.toSorted();
  while (waiting.length > 0) {
    const open = new Set(waiting);
    const ready = waiting.filter((table) => !references.some(({ from, to }) => from === table && to !== table && open.has(to)));
    if (ready.length === 0) throw new Error(`Tables refer to each other in a circle: ${waiting.join(", ")}.`);
    ordered.push(...ready);
    waiting = waiting.filter((table) => !ready.includes(table));
  }
  return ordered;
}
