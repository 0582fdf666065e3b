import { defineMappingPreview } from "./graphql-mapping.js";
import { defineTrace } from "./graphql-trace.js";
import { defineTrials } from "./graphql-trials.js";

/** What the pipeline shows: mappings tried on records, on samples and beside real runs; and what became of a record. */
export function definePipeline(): void {
  defineMappingPreview();
  defineTrials();
  defineTrace();
}
