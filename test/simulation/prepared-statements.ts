import type { Database, RawSql } from "../../packages/server/src/db/client.js";

/** What can be prepared; `begin`, `analyze` and the like cannot. */
const preparable = /^\s*(select|insert|update|delete|with)\b/i;

/** Said together with the beginning of a transaction; drizzle takes a statement of its own for it, every tenth of a story. */
const isolation = "isolation level read committed";
const setsIsolation = `set transaction ${isolation}`;

/**
 * Lets a story's statements be parsed and planned once a connection instead of at every call: drizzle sends each as a new one, in two round trips.
 * The texts and their values stay what the product sends.
 */
export function prepareStatements({ sql }: Database): void {
  const begin = sql.begin.bind(sql);
  const preparedBegin = (work: unknown): Promise<unknown> => begin(isolation, (tx) => (work as (tx: unknown) => unknown)(preparedTx(tx)));
  sql.begin = preparedBegin as typeof sql.begin;
  sql.unsafe = prepared(sql.unsafe.bind(sql));
}

function prepared(unsafe: RawSql["unsafe"]): RawSql["unsafe"] {
  const wrapped = (...[query, values, options]: Parameters<RawSql["unsafe"]>): unknown => {
    if (query === setsIsolation) return Promise.resolve([]);
    return preparable.test(query)
      ? unsafe(query, values, Object.assign({}, options, { prepare: true, simple: false }))
      : unsafe(query, values, options);
  };
  return wrapped as typeof unsafe;
}

function preparedTx<T extends Pick<RawSql, "unsafe">>(tx: T): T {
  return new Proxy(tx, {
    get: (target, name, receiver) =>
      name === "unsafe" ? prepared(target.unsafe.bind(target)) : (Reflect.get(target, name, receiver) as unknown),
  });
}
