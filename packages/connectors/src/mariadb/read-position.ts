import type { Cursor } from "@quiesce/sdk";
import type { Row } from "./mariadb-client.js";
import type { MariadbStream } from "./mariadb-config.js";
import type { Column } from "./table-columns.js";

/**
 * Where a read stands, in the cursor: `at` is the cursor column's value and `key0`, `key1` ... the key's, all as the database writes them. `started`
 * is the database's clock at the beginning of this round, `seen` that of the last complete round.
 */
export interface Position {
  readonly at: string | undefined;
  readonly keys: readonly string[];
  readonly started: string | undefined;
  readonly seen: string | undefined;
}

/** What is read of a table, and in which order. */
export interface Selection {
  readonly stream: MariadbStream;
  readonly columns: readonly Column[];
  /** The cursor column, if any, then the key columns: what rows are ordered by. */
  readonly order: readonly Column[];
}

/** False at the beginning of everything. */
export function isBegun(position: Position): boolean {
  return position.keys.length > 0;
}

/** The position that a cursor stands for. One of another version, or of other key columns, means: begin again. */
export function positionOf(cursor: Cursor | null, selection: Selection): Position {
  const text = (name: string): string | undefined => {
    const value = cursor?.[name];
    return typeof value === "string" ? value : undefined;
  };
  const keys = selection.stream.key.map((_name, index) => text(`key${index}`)).filter((key) => key !== undefined);
  const hasTime = selection.order.length > selection.stream.key.length;
  const whole = keys.length === selection.stream.key.length && (!hasTime || text("at") !== undefined);
  if (!whole) return { at: undefined, keys: [], started: undefined, seen: undefined };
  return { at: hasTime ? text("at") : undefined, keys, started: text("started"), seen: text("seen") };
}

/** The position behind a row. */
export function advanced(position: Position, last: Row | undefined, selection: Selection): Position {
  if (last === undefined) return position;
  const values = selection.order.map((_column, index) => String(last[`o${index}`]));
  const keys = values.slice(-selection.stream.key.length);
  return { ...position, at: values.length > keys.length ? values[0] : undefined, keys };
}

/** The cursor in the middle of a round. */
export function cursorOf(position: Position): Cursor {
  return {
    ...(position.at === undefined ? {} : { at: position.at }),
    ...Object.fromEntries(position.keys.map((key, index) => [`key${index}`, key])),
    ...(position.started === undefined ? {} : { started: position.started }),
  };
}

/** The cursor at the end of a round. Without a cursor column each round reads everything. */
export function finished(position: Position, selection: Selection): Cursor {
  if (selection.stream.cursorColumn === undefined) return {};
  const { started, ...cursor } = cursorOf(position);
  return started === undefined ? cursor : { ...cursor, seen: started };
}
