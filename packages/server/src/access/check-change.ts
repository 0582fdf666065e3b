import { type Action, can, canEverywhere, describeGrants, DomainError, type Principal } from "@quiesce/core";
import type { Database } from "../db/client.js";
import { type Change, resourcesOf } from "./targets.js";

/** Who asks for a change, with the database as they see it and the whole one. */
export interface Changer {
  readonly principal: Principal;
  readonly seen: Database;
  readonly whole: Database;
}

/**
 * Refuses a change that the caller's grants do not reach. What the caller cannot see is refused as what does not exist: the command itself is
 * rehearsed in the caller's world and answers there. Throws QSC_ACCESS_DENIED, and whatever the rehearsed command throws.
 */
export async function checkChange(changer: Changer, change: Change, rehearse: (database: Database) => Promise<unknown>): Promise<void> {
  const { principal, seen } = changer;
  const verdict = await verdictOf(changer, change.action, change);
  if (verdict === "allowed") return;
  if (verdict === "unseen") await rehearsed(seen, rehearse);
  throw new DomainError(
    "QSC_ACCESS_DENIED",
    `${describeGrants(principal.grants)}: these grants do not allow this here (${change.action}). Ask somebody whose grants cover everything that it names, or an admin for a wider grant.`,
    { details: { action: change.action, grants: describeGrants(principal.grants) } },
  );
}

/** Whether the caller may also do this to everything that the change is about. */
export async function mayAlso(changer: Changer, action: Action, change: Change): Promise<boolean> {
  return (await verdictOf(changer, action, change)) === "allowed";
}

async function verdictOf({ principal, seen, whole }: Changer, action: Action, { on }: Change): Promise<"allowed" | "denied" | "unseen"> {
  if (canEverywhere(principal, action)) return "allowed";
  // Where nothing is named it is about everything.
  if (on.length === 0 || !can(principal, action)) return "denied";
  for (const target of on) {
    const resources = await resourcesOf(target, { seen, whole });
    if (resources === null) return "unseen";
    if (resources.length === 0 || !resources.every((resource) => can(principal, action, resource))) return "denied";
  }
  return "allowed";
}

/** Undoes what a rehearsed command has done. */
class Rehearsed extends Error {}

/** Runs a command among the rows that the caller sees, each transaction of it undone: for its refusal of what is not there. */
async function rehearsed(seen: Database, rehearse: (database: Database) => Promise<unknown>): Promise<void> {
  const db: Database["db"] = new Proxy(seen.db, {
    get(target, name) {
      if (name !== "transaction") return Reflect.get(target, name) as unknown;
      const transaction: Database["db"]["transaction"] = (work, config) =>
        target.transaction(async (tx) => {
          await work(tx);
          throw new Rehearsed();
        }, config);
      return transaction;
    },
  });
  const stage: Database = {
    db,
    get sql() {
      return seen.sql;
    },
    beside: (options) => seen.beside(options),
    close: () => seen.close(),
  };
  try {
    await rehearse(stage);
  } catch (error) {
    // A domain's refusal is the answer; anything else is no business of somebody who may not do it.
    if (error instanceof DomainError) throw error;
  }
}
