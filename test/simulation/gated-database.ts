import type { Database, RawSql, Tx } from "../../packages/server/src/db/client.js";
import { processClock } from "./process-clock.js";

/** A process that disappears in the middle of what it does. */
export class SimulatedCrash extends Error {
  override name = "SimulatedCrash";
}

/** Asked before every statement and before the end of every transaction is reported: it may wait for its turn, or throw a crash. */
export type Gate = () => Promise<void>;

/** Methods that only build a statement or read a setting pass through; those that go to the database pass the gate. */
function gatedTx(tx: Tx, gate: Gate): Tx {
  return new Proxy(tx, {
    get(target, name) {
      if (name === "execute") {
        return async (...args: Parameters<Tx["execute"]>) => {
          await gate();
          return target.execute(...args);
        };
      }
      if (name === "transaction") {
        return async (work: (inner: Tx) => Promise<unknown>, config: Parameters<Tx["transaction"]>[1]) => {
          await gate();
          const result = await target.transaction((inner) => work(gatedTx(inner, gate)), config);
          // The commit may be done although its caller never learns of it.
          await gate();
          return result;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The same database with a gate before every statement: for interleaving servers and for letting one crash anywhere. */
function gated(database: Database, gate: Gate): Database {
  const sql: RawSql = new Proxy(database.sql, {
    apply: async (target, self, args: unknown[]) => {
      await gate();
      const rows: unknown = await Reflect.apply(target, self, args);
      await gate();
      return rows;
    },
  });
  return { sql, db: gatedTx(database.db, gate), beside: (options) => database.beside(options), close: () => database.close() };
}

/**
 * An actor's database behind its gate: the one that all share as long as everything goes one after another, and a connection of its own while it
 * takes turns. A connection plans each statement once, so a story that does most on one of them plans least.
 */
export function gatedDatabase(databases: { readonly shared: Database; readonly own: Database }, gate: ActorGate): Database {
  const shared = gated(databases.shared, gate.pass);
  const own = gated(databases.own, gate.pass);
  const current = (): Database => (gate.takesTurns ? own : shared);
  return {
    get sql() {
      return current().sql;
    },
    get db() {
      return current().db;
    },
    beside: (options) => own.beside(options),
    close: () => Promise.all([shared.close(), own.close()]).then(() => undefined),
  };
}

/** A gate that lets everything pass until it is told to crash after so many statements, or to wait for turns. */
export class ActorGate {
  #crashAfter = Number.POSITIVE_INFINITY;
  #turn: Gate | null = null;
  crashed = false;

  /** How far the wall clock of this process is wrong. */
  skewMs = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  readonly pass: Gate = async () => {
    this.#count();
    if (this.#turn !== null) await this.#turn();
    processClock.wallMs = this.#nowMs() + this.skewMs;
  };

  crashAfter(statements: number): void {
    this.#crashAfter = statements;
  }

  get takesTurns(): boolean {
    return this.#turn !== null;
  }

  takeTurns(turn: Gate | null): void {
    this.#turn = turn;
  }

  /** A new process begins. */
  reset(): void {
    this.#crashAfter = Number.POSITIVE_INFINITY;
    this.crashed = false;
  }

  #count(): void {
    this.#crashAfter -= 1;
    if (this.#crashAfter >= 0) return;
    this.crashed = true;
    throw new SimulatedCrash("The process is gone.");
  }
}
