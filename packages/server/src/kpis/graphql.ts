import { defineKpis } from "./graphql-kpi.js";
import { defineSla } from "./graphql-sla.js";
import { defineSamples } from "./graphql-samples.js";

/** What is measured, and what it comes to. */
export function defineMeasurements(): void {
  defineSamples();
  const shared = defineKpis();
  defineSla(shared);
}
