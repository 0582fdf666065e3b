import { z } from "zod";
import { EXPRESSION_LIMITS } from "./expression.js";

/** The types a value can be cast to. `datetime` is an instant in UTC with the source's precision, `date` a calendar date. */
export const CASTS = ["string", "number", "integer", "boolean", "date", "datetime", "json"] as const;

/** One of {@link CASTS}. */
export type Cast = (typeof CASTS)[number];

const MAX_FIELDS = 1_000;
const MAX_TABLE_ENTRIES = 10_000;
const PATH = /^[^.\s][^.]*(?:\.[^.]+){0,9}$/u;
/** Names that would reach the prototype of an object instead of a field. */
const RESERVED = ["__proto__", "prototype", "constructor"];

const path = z
  .string()
  .max(500)
  .regex(PATH, "must be a dotted path of at most 10 names, such as address.city")
  .refine((value) => !value.split(".").some((name) => RESERVED.includes(name)), {
    message: `must not hold one of the names ${RESERVED.join(", ")}`,
  });

const expressionText = z.string().min(1).max(EXPRESSION_LIMITS.characters);

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const fieldRule = z
  .strictObject({
    from: path.optional().describe("Where the value is in the source record: a dotted path; numbers index lists."),
    const: z.json().optional().describe("A fixed value instead of one from the record."),
    expression: expressionText
      .optional()
      .describe(
        "A JSONata expression over the source record's data, for what from cannot say. $key, $version, $op and $at are the record's.",
      ),
    when: expressionText
      .optional()
      .describe("A JSONata condition: the field is mapped only if it is true, and left out if it is false or finds nothing."),
    cast: z.enum(CASTS).optional().describe("The type the target expects; a value that is not of it is an error."),
    table: z
      .record(z.string(), scalar)
      .refine((table) => Object.keys(table).length <= MAX_TABLE_ENTRIES, {
        message: `has at most ${MAX_TABLE_ENTRIES} entries`,
      })
      .optional()
      .describe("A value table: source value -> target value. A value that is not in it is an error."),
    lossless: z
      .boolean()
      .optional()
      .describe(
        "Refuse a table that cannot be turned round: two source values, an empty one or the default would become one target value.",
      ),
    default: z
      .json()
      .optional()
      .describe("Used as it is when the source has no such field, or null in it, or the expression finds nothing."),
  })
  .superRefine((rule, context) => {
    const sources = (["from", "const", "expression"] as const).filter((name) => rule[name] !== undefined);
    if (sources.length !== 1) {
      context.addIssue({
        code: "custom",
        message: `needs exactly one of from, const and expression, found ${sources.length === 0 ? "none" : sources.join(" and ")}`,
      });
    }
    if (rule.const !== undefined && (rule.cast ?? rule.table ?? rule.default ?? rule.lossless) !== undefined) {
      context.addIssue({
        code: "custom",
        message: "const stands alone: cast, table, lossless and default need from or expression",
      });
    }
    if (rule.lossless !== undefined && rule.table === undefined) {
      context.addIssue({ code: "custom", message: "lossless needs a table" });
    }
  });

/** How one field of the target record is made. */
export type FieldRule = z.output<typeof fieldRule>;

/**
 * A declarative mapping from a source record's data to a target record's data. Only what is named under `fields` arrives.
 *
 * @example { "fields": { "name": { "from": "name" }, "address.city": { "from": "city", "default": "" },
 *   "state": { "from": "status", "table": { "1": "new", "2": "done" } }, "origin": { "const": "erp" },
 *   "total": { "expression": "$sum(lines.(price * quantity))", "cast": "number" } }, "when": "status != 'draft'" }
 */
export const mappingSchema = z.strictObject({
  fields: z
    .record(path, fieldRule)
    .refine((fields) => Object.keys(fields).length > 0, { message: "maps no field" })
    .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, {
      message: `maps at most ${MAX_FIELDS} fields`,
    })
    .describe("Target field (a dotted path nests) -> how its value is made."),
  when: expressionText
    .optional()
    .describe("A JSONata condition: a record is mapped only if it is true, and passed over otherwise. Deletions are not asked."),
  key: path.optional().describe("The target field that is the record's key there; the source's key if absent."),
});

/** See {@link mappingSchema}. */
export type Mapping = z.output<typeof mappingSchema>;
