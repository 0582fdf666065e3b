import { sql, type SQL } from "drizzle-orm";
import { customType } from "drizzle-orm/pg-core";
import { formatInstant } from "./instant-text.js";

/** A column of type timestamptz(3) whose value is epoch milliseconds, UTC. */
export const instant = customType<{ data: number; driverData: number | string }>({
  dataType: () => "timestamptz(3)",
  // The client would write a number by itself; inside an array column drizzle writes the elements.
  toDriver: formatInstant,
});

/** An array parameter of instants for drizzle's `sql`, which would spread a plain array into a list of parameters. */
export const instantArray = (instantsMs: readonly (number | null)[]): SQL => sql`${sql.param(instantsMs)}::timestamptz[]`;
