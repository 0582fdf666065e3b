import { builder } from "./builder.js";
import { pageSize } from "../db/read-page.js";

/** The arguments of every list, beside its own filter. */
export const pageArgs = {
  first: builder.args((t) => ({ first: t.int({ description: "How many items; 50 when left out, at most 200." }) })).first,
  after: builder.args((t) => ({ after: t.string({ description: "Continue behind this cursor." }) })).after,
};

/** A list weighs as much as its page is long. */
export const pageComplexity = (args: { readonly first?: number | null | undefined }) => ({ field: 1, multiplier: pageSize(args.first) });

/** The order of lists whose items have keys. */
export const KeyOrderEnum = builder.enumType("CatalogueOrder", {
  description: "Such lists are ordered by key.",
  values: { KEY_ASC: { value: "asc", description: "A to Z." }, KEY_DESC: { value: "desc", description: "Z to A." } } as const,
});
