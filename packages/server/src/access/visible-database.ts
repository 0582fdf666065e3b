import { type AccessScope, type Principal, scopesFor } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/client.js";

/** The databases as callers may see them. */
export interface VisibleDatabases {
  /** For reads of this caller. Whoever may look at everything gets the whole database, by connections for reading; others what their grants reach, to read only. */
  of(principal: Principal): Database;
  close(): Promise<void>;
}

/** Few: only callers with narrower grants read through them. */
const MAX_NARROWED_CONNECTIONS = 4;
/** Of those who may look at everything. Connections of their own, so that a slow question never keeps a command waiting. */
const MAX_CONNECTIONS = 8;
/** As everywhere else in the server; narrowed reads pass through views, and are given up sooner. */
const TIMEOUT_MS = 30_000;
const NARROWED_TIMEOUT_MS = 10_000;
/** A prepared statement takes 50 KiB of its connection (measured): 5 MiB at most. */
const PREPARED_TEXTS = 100;
const MAX_KNOWN = 1_000;

/**
 * Narrowed reads go through connections of their own, whose search_path begins with the schema `visible`: the same statements see fewer rows. The
 * reach is set for each transaction, so that no connection keeps anybody's.
 */
export function createVisibleDatabases(whole: Database): VisibleDatabases {
  let narrow: Database | null = null;
  let wide: Database | null = null;
  /** One for each reach: who shares a reach shares what is kept for a moment. */
  const known = new Map<string, Database>();
  const usual = { plansEachCall: true, preparedTexts: PREPARED_TEXTS } as const;
  const openNarrow = () =>
    (narrow ??= whole.beside({
      ...usual,
      max: MAX_NARROWED_CONNECTIONS,
      applicationName: "quiesce-narrowed",
      statementTimeoutMs: NARROWED_TIMEOUT_MS,
      searchPath: "visible, public",
    }));
  const openWide = () =>
    (wide ??= whole.beside({ ...usual, max: MAX_CONNECTIONS, applicationName: "quiesce-reads", statementTimeoutMs: TIMEOUT_MS }));
  return {
    of(principal) {
      const reach = reachOf(principal);
      if (reach === null) return openWide();
      const name = JSON.stringify(reach);
      const before = known.get(name);
      if (before !== undefined) return before;
      if (known.size >= MAX_KNOWN) known.clear();
      const made = narrowed(openNarrow(), reach);
      known.set(name, made);
      return made;
    },
    close: async () => {
      await Promise.all([narrow?.close(), wide?.close()]);
    },
  };
}

/** What a principal may look at, and whose records; null: everything. */
interface Reach {
  readonly look: readonly AccessScope[];
  readonly records: readonly AccessScope[];
}

function reachOf(principal: Principal): Reach | null {
  const look = scopesFor(principal, "catalogue.read");
  const records = scopesFor(principal, "records.read");
  const isAll = (scopes: readonly AccessScope[]) => scopes.some(({ kind }) => kind === "all");
  // Whoever may read no records at all is refused by the rule table, field by field.
  return isAll(look) && (records.length === 0 || isAll(records)) ? null : { look, records };
}

/** True when a principal's reads are narrowed. */
export function isNarrowed(principal: Principal): boolean {
  return reachOf(principal) !== null;
}

function narrowed(reader: Database, reach: Reach): Database {
  const look = JSON.stringify(reach.look);
  const records = JSON.stringify(reach.records);
  const within = async (tx: Tx) => {
    await tx.execute(sql`select set_config('quiesce.look', ${look}, true), set_config('quiesce.records', ${records}, true)`);
    return tx;
  };
  const inReach = <T>(work: (tx: Tx) => Promise<T>, config?: Parameters<Tx["transaction"]>[1]): Promise<T> =>
    reader.db.transaction(async (tx) => work(await within(tx)), config);
  const ways: { readonly [name: string]: unknown } = {
    execute: (query: Parameters<Tx["execute"]>[0]) => inReach(async (tx) => tx.execute(query)),
    transaction: inReach,
    select: (...fields: unknown[]) => recorded([{ name: "select", args: fields }], inReach),
  };
  return {
    db: new Proxy(reader.db, {
      get(target, name) {
        // Drizzle looks at a few of its own marks; whatever would ask the database goes one of these ways.
        if (typeof name === "symbol" || name === "constructor") return Reflect.get(target, name) as unknown;
        if (Object.hasOwn(ways, name)) return ways[name];
        throw new Error(`Narrowed reads have no db.${name}: use ${Object.keys(ways).join(", ")}.`);
      },
    }),
    get sql(): never {
      throw new Error("Narrowed reads go through db.execute; the raw client knows no reach.");
    },
    beside: () => {
      throw new Error("Narrowed reads have one pool.");
    },
    close: () => Promise.resolve(),
  };
}

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Keeps the calls that build a statement until somebody waits for its rows: then they are made in a transaction that has its reach. */
function recorded(calls: readonly Call[], inReach: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>): object {
  const run = () =>
    inReach(async (tx) => {
      let statement: unknown = tx;
      for (const { name, args } of calls)
        statement = (statement as Record<string, (...args: readonly unknown[]) => unknown>)[name]?.(...args);
      return statement;
    });
  return new Proxy(
    {},
    {
      get: (_target, name) => {
        if (name === "then") return (...then: Parameters<Promise<unknown>["then"]>) => run().then(...then);
        return typeof name === "symbol" ? undefined : (...args: unknown[]) => recorded([...calls, { name, args }], inReach);
      },
    },
  );
}
