import { z } from "zod";
import { CASTS } from "./mapping-schema.js";

/** Which value a field gets that both sides have changed since they last agreed. */
export const CONFLICT_RULES = ["source", "target", "newest", "review"] as const;

/** One of {@link CONFLICT_RULES}. */
export type ConflictRule = (typeof CONFLICT_RULES)[number];

const MAX_FIELDS = 200;

/** Writing back sends single fields, and a part of a nested value cannot be sent alone. */
const fieldName = z.string().min(1).max(200);

const twoWayField = z.strictObject({
  conflict: z
    .enum(CONFLICT_RULES)
    .default("review")
    .describe("What wins when both sides have changed it: source, target, the newest change, or what a person decides."),
  cast: z.enum(CASTS).optional().describe("The type that the source expects; needed where the mapping casts."),
});

/**
 * The fields of a stream that flow back from the target to the source, by the names they have at the target.
 *
 * @example { "fields": { "phone": { "conflict": "newest" }, "city": {} }, "times": { "source": "updated_at", "target": "changed" } }
 */
export const twoWaySchema = z.strictObject({
  fields: z
    .record(fieldName, twoWayField)
    .refine((fields) => Object.keys(fields).length > 0, { message: "names no field" })
    .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, { message: `names at most ${MAX_FIELDS} fields` }),
  times: z
    .strictObject({ source: fieldName.optional(), target: fieldName.optional() })
    .default({})
    .describe("The fields that hold when a record was changed, for the rule newest; without them the time that the connector gives."),
});

/** See {@link twoWaySchema}. */
export type TwoWay = z.output<typeof twoWaySchema>;
