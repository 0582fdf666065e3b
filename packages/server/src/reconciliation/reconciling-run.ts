import type { ComparedFields } from "@quiesce/core";
import type { OpenEndpoint } from "../connector-host/open-endpoint.js";
import type { StreamRun } from "../pipeline/pipeline-run.js";

/** The two sides of an integration. */
export const sides = ["source", "target"] as const;
export type Side = (typeof sides)[number];

/** One stream of an integration that is compared. */
export interface ReconcilingRun extends StreamRun {
  readonly source: OpenEndpoint;
  readonly reconciliationId: number;
  readonly fields: ComparedFields;
  /** Between the first and the second look. */
  readonly secondLookAfterMs: number;
}

/** Before the second look: what is on its way between the systems has so long to arrive. */
export const SECOND_LOOK_AFTER_MS = 5_000;

export function endpointOf(run: ReconcilingRun, side: Side): OpenEndpoint {
  return side === "source" ? run.source : run.target;
}

/** What the stream is called at a side. */
export function streamAt(run: ReconcilingRun, side: Side): string {
  return side === "source" ? run.stream.stream : run.stream.target;
}
