import type { Tx } from "../../db/client.js";
import { objectiveNotFound } from "./commands.js";
import { objectiveByKey, type ObjectiveRow } from "./store.js";

/** The objective that a report names; null: it names none. Throws QSC_OBJECTIVE_NOT_FOUND. */
export async function objectiveOfReport(tx: Tx, key: string | null | undefined): Promise<ObjectiveRow | null> {
  if (typeof key !== "string") return null;
  const found = await objectiveByKey(tx, key);
  if (found === null) throw objectiveNotFound(key);
  return found;
}
