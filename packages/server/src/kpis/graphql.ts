import { defineBaselines } from "./baselines/graphql.js";
import { defineCare } from "./graphql-care.js";
import { defineKpis } from "./graphql-kpi.js";
import { defineSla } from "./graphql-sla.js";
import { defineObjectives, defineScopeRef } from "./objectives/graphql.js";
import { defineSampleExport } from "./export/graphql.js";
import { defineSampleRetention } from "./retention/graphql.js";
import { defineThresholds } from "./thresholds/graphql.js";
import { defineSamples } from "./graphql-samples.js";

/** What is measured, and what it comes to. */
export function defineMeasurements(): void {
  defineSamples();
  defineSampleRetention();
  defineSampleExport();
  const shared = defineKpis();
  const sla = defineSla(shared);
  const ScopeRef = defineScopeRef();
  defineObjectives({ ...shared, ...sla, ScopeRef });
  defineThresholds({ ...shared, ...sla, ScopeRef });
  defineBaselines({ ...shared, ScopeRef });
  defineCare(shared);
}
