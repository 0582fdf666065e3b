import { type AvailabilityFigures, stateRules } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { IntegrationRef } from "../graphql/refs.js";
import type { SharedTypes } from "./graphql-kpi.js";
import { objectiveOfReport } from "./objectives/objective-of-report.js";
import { slaCsv } from "./sla-csv.js";
import {
  missingMs,
  type ReportedMaintenance,
  type ServiceAgreement,
  type SlaOfIntegration,
  type SlaReport,
  slaReport,
  usualAgreement,
} from "./sla-report.js";

import { kpiScopeOf } from "./stored-scope.js";

/** Reads every day of every integration. */
const costOfReport = 100;

const maintenanceReasons = [
  "counts",
  "not-approved",
  "not-announced",
  "short-notice",
  "allowance-used-up",
  "allowance-in-part",
] as const satisfies readonly ReportedMaintenance["reason"][];

/** Reports of service levels. */
export function defineSla({ Scope, Figures }: SharedTypes) {
  const RuleEnum = capsEnum("ServiceStateRule", "How many results of checks change the state of a service.", stateRules);
  const ReasonEnum = capsEnum("MaintenanceReason", "Why maintenance is left out of the net figure, or is not.", maintenanceReasons);
  const Hours = builder.inputType("ServiceHoursInput", {
    description: "Hours of the week in which a service is to be there.",
    fields: (t) => ({
      days: t.intList({ required: true, description: "1 is Monday, 7 Sunday." }),
      from: t.string({ required: true, description: "As 08:00." }),
      to: t.string({ required: true, description: "As 18:00, on the same day; 24:00 is its end." }),
    }),
  });
  const Agreement = builder.inputType("ServiceAgreementInput", {
    description: "What was agreed about a service.",
    fields: (t) => ({
      minimumNoticeSeconds: t.int({ description: "Maintenance is announced so long before it begins; a day when left out." }),
      monthlyAllowanceSeconds: t.int({
        description: "At most so much maintenance a month is left out of the net figure; any when left out.",
      }),
      needsApproval: t.boolean({ description: "Only maintenance that somebody approved counts." }),
      timeZone: t.string({ description: "Whose months and hours count; UTC when left out." }),
      serviceHours: t.field({ type: [Hours], description: "When the service is to be there; always when left out." }),
      checkIntervalSeconds: t.int({
        description:
          "How often it is checked; a minute when left out. Three times that without a check, and at least five minutes, is unknown.",
      }),
      rule: t.field({ type: RuleEnum, description: "THREE_IN_A_ROW when left out." }),
    }),
  });
  const Availability = builder.objectRef<AvailabilityFigures>("AvailabilityFigures").implement({
    description: "Where every millisecond went: upMs + downMs + unknownMs + excludedMs + outOfScheduleMs = periodMs.",
    fields: (t) => ({
      availability: t.exposeFloat("availability", { nullable: true, description: "Up, of what is known; null: nothing is known." }),
      coverage: t.exposeFloat("coverage", { nullable: true, description: "Known, of what is to be answered for." }),
      periodMs: t.exposeFloat("periodMs", { description: "The period, of all integrations together." }),
      upMs: t.exposeFloat("upMs", { description: "Up." }),
      downMs: t.exposeFloat("downMs", { description: "Down." }),
      unknownMs: t.exposeFloat("unknownMs", { description: "Without a check." }),
      excludedMs: t.exposeFloat("excludedMs", { description: "Maintenance that the agreement leaves out; 0 in gross figures." }),
      outOfScheduleMs: t.exposeFloat("outOfScheduleMs", { description: "Outside the service hours." }),
      missingMs: t.float({ description: "What these miss the period by: 0.", resolve: missingMs }),
    }),
  });
  const Maintenance = builder.objectRef<ReportedMaintenance>("ReportedMaintenance").implement({
    description: "Maintenance in a report.",
    fields: (t) => ({
      key: t.exposeString("key", { description: "The window's key and the local start." }),
      title: t.exposeString("title", { description: "The window's name for people." }),
      startsAt: t.expose("startsAt", { type: "DateTime", description: "When it began." }),
      endsAt: t.expose("endsAt", { type: "DateTime", description: "Its planned end, or when it was released before." }),
      reason: t.expose("reason", { type: ReasonEnum, description: "Whether it counts, and why." }),
      countedMs: t.exposeFloat("countedMs", { description: "How much of it is left out of the net figure." }),
    }),
  });
  const OfIntegration = builder.objectRef<SlaOfIntegration>("SlaOfIntegration").implement({
    description: "One integration in a report.",
    fields: (t) => ({
      integration: t.field({ type: IntegrationRef, description: "Which.", resolve: ({ integration }) => String(integration.id) }),
      net: t.expose("net", { type: Availability, description: "Without the maintenance that the agreement leaves out." }),
      gross: t.expose("gross", { type: Availability, description: "With all of it." }),
      responseTime: t.expose("responseTime", { type: Figures, description: "Of the metric response, ms." }),
      maintenance: t.expose("maintenance", { type: [Maintenance], description: "What covered it." }),
    }),
  });
  const Report = builder.objectRef<SlaReport>("SlaReport").implement({
    description: "The service levels of a period, net and gross side by side.",
    authScopes: { can: "runs.read" },
    fields: (t) => ({
      from: t.field({ type: "DateTime", description: "The period's beginning.", resolve: ({ period }) => period.start }),
      to: t.field({ type: "DateTime", description: "Its end, now at most.", resolve: ({ period }) => period.end }),
      net: t.expose("net", { type: Availability, description: "Of all integrations together." }),
      gross: t.expose("gross", { type: Availability, description: "Of all integrations together." }),
      responseTime: t.expose("responseTime", { type: Figures, description: "Of all integrations together." }),
      integrations: t.expose("integrations", { type: [OfIntegration], description: "One by one, by their keys; at most 2,000." }),
      csv: t.string({ description: "The report as CSV (RFC 4180), two lines an integration.", resolve: slaCsv }),
    }),
  });
  builder.queryField("slaReport", (t) =>
    t.field({
      type: Report,
      authScopes: { can: "runs.read" },
      description: "What a period came to. The same as a page to print: GET /reports/sla.html; as CSV: GET /reports/sla.csv.",
      args: {
        from: t.arg({ type: "DateTime", required: true, description: "The period's beginning." }),
        to: t.arg({ type: "DateTime", required: true, description: "Its end; what is not over yet is left out." }),
        scope: t.arg({ type: Scope, description: "Of which integrations; all when left out." }),
        agreement: t.arg({ type: Agreement, description: "What was agreed." }),
        objective: t.arg.string({ description: "An objective by its key: its agreement and its scope, where these are left out." }),
      },
      complexity: costOfReport,
      resolve: async (_root, { from, to, scope, agreement, objective }, { database, zones }) => {
        const known = await objectiveOfReport(database.db, objective);
        return slaReport(
          { database, zones },
          {
            scope: scope ?? (known === null ? {} : kpiScopeOf(known.scope)),
            period: { start: from, end: to },
            agreement: known !== null && !agreement ? known.agreement : agreementOf(agreement),
          },
        );
      },
    }),
  );
  return { Agreement, RuleEnum };
}

/** What an agreement's input may say; what it does not is as usual. */
interface GivenAgreement {
  readonly minimumNoticeSeconds?: number | null | undefined;
  readonly monthlyAllowanceSeconds?: number | null | undefined;
  readonly needsApproval?: boolean | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly serviceHours?: ServiceAgreement["serviceHours"] | null | undefined;
  readonly checkIntervalSeconds?: number | null | undefined;
  readonly rule?: ServiceAgreement["rule"] | null | undefined;
}

/** The agreement of an input. */
export function agreementOf(given: GivenAgreement | null | undefined): ServiceAgreement {
  const inMs = (seconds: number | null | undefined): number | null => (typeof seconds === "number" ? Math.max(0, seconds) * 1_000 : null);
  return {
    minimumNoticeMs: inMs(given?.minimumNoticeSeconds) ?? usualAgreement.minimumNoticeMs,
    monthlyAllowanceMs: inMs(given?.monthlyAllowanceSeconds),
    needsApproval: given?.needsApproval ?? usualAgreement.needsApproval,
    timeZone: given?.timeZone ?? usualAgreement.timeZone,
    serviceHours: given?.serviceHours ?? usualAgreement.serviceHours,
    checkIntervalMs: inMs(given?.checkIntervalSeconds) ?? usualAgreement.checkIntervalMs,
    rule: given?.rule ?? usualAgreement.rule,
  };
}
