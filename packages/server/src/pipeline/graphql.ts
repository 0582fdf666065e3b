import { defineMappingPreview } from "./graphql-mapping.js";
import { defineSyncConflicts } from "./graphql-sync-conflicts.js";
import { defineTrace } from "./graphql-trace.js";
import { defineTrials } from "./graphql-trials.js";

/** What the pipeline shows: mappings tried on records, on samples and beside real runs; what became of a record, and about what both sides do not agree. */
export function definePipeline(): void {
  defineMappingPreview();
  defineTrials();
  defineTrace();
  defineSyncConflicts();
}
