import { type SQL, sql } from "drizzle-orm";

/** Numbers as an integer[]: ids out of a global id may be anything, and what is no id finds nothing. */
export function integers(ids: readonly (string | number)[]): SQL {
  const numbers = ids.map(Number).filter((id) => Number.isInteger(id) && id > 0 && id < 2 ** 31);
  return sql`${`{${numbers.join(",")}}`}::text::integer[]`;
}

/** Texts as a text[]. */
export function texts(values: readonly string[]): SQL {
  return sql`array(select jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb))`;
}

/** Numbers as a bigint[], with the same tolerance. */
export function bigints(ids: readonly (string | number)[]): SQL {
  const numbers = ids.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0);
  return sql`${`{${numbers.join(",")}}`}::text::bigint[]`;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Texts that are uuids as a uuid[]; others find nothing. */
export function uuids(ids: readonly string[]): SQL {
  return sql`${`{${ids.filter((id) => UUID.test(id)).join(",")}}`}::text::uuid[]`;
}
