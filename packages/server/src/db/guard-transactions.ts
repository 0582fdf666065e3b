import type postgres from "postgres";

const codesOfDeath: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * Keeps statements of a transaction from a connection that is gone. postgres.js 3.4.9 sends them all the same, its own rollback and commit too:
 * the write throws outside of every promise, and that place in the pool never connects again. A server that ends idle transactions makes this an
 * everyday case: a process that was frozen thaws in the middle of a transaction.
 */
export function guardTransactions(client: postgres.Sql): void {
  const begin = client.begin.bind(client);
  const guarded = async (first: unknown, second?: unknown): Promise<unknown> => {
    const options = typeof first === "string" ? first : "";
    const work = (typeof first === "string" ? second : first) as (tx: postgres.TransactionSql) => unknown;
    let isDead = false;
    let die: (error: unknown) => void = () => undefined;
    const death = new Promise<never>((_, reject) => (die = reject));
    const transaction = begin(options, async (tx) => {
      try {
        const result = await work(whileAlive(tx, () => isDead));
        // Never to settle: postgres.js would send the commit, or after an error the rollback.
        return isDead ? await new Promise<never>(() => undefined) : result;
      } catch (error) {
        if (!isDead && !endsConnection(error)) throw error;
        isDead = true;
        die(error);
        return new Promise<never>(() => undefined);
      }
    });
    try {
      return await Promise.race([transaction, death]);
    } catch (error) {
      isDead = true;
      throw error;
    }
  };
  client.begin = guarded as typeof client.begin;
}

/** The transaction's handle, which refuses every statement after the end of its connection. */
function whileAlive(tx: postgres.TransactionSql, isDead: () => boolean): postgres.TransactionSql {
  const check = (): void => {
    if (isDead())
      throw Object.assign(new Error("The connection of this transaction is gone; nothing of it is kept."), { code: "CONNECTION_CLOSED" });
  };
  return new Proxy(tx, {
    apply: (target, self, args) => {
      check();
      return Reflect.apply(target, self, args);
    },
    get: (target, name, receiver) => {
      if (name === "unsafe" || name === "savepoint") check();
      return Reflect.get(target, name, receiver);
    },
  });
}

/** Whether no statement can follow this error on its connection. */
function endsConnection(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ("code" in one && typeof one.code === "string" && codesOfDeath.has(one.code)) return true;
    if ("severity_local" in one && "severity" in one && (one.severity === "FATAL" || one.severity === "PANIC")) return true;
  }
  return false;
}
