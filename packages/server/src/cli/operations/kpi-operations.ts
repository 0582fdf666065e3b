import { z } from "zod";
import { operation } from "../graphql-client.js";

const number = z.number().nullable();
const share = z.object({ low: number, high: number, isUncertain: z.boolean() }).nullable();
const figures = z.object({
  value: number,
  samples: z.number(),
  mean: number,
  min: number,
  max: number,
  p50: number,
  p95: number,
  p99: number,
  share,
});
export type FiguresAnswer = z.infer<typeof figures>;

const FIGURES = "value samples mean min max p50 p95 p99 share { low high isUncertain }";

const kpi = z.object({
  kpi: z.string(),
  unit: z.string(),
  from: z.string(),
  to: z.string(),
  integrations: z.number(),
  current: figures,
  previous: figures,
  ranking: z.array(z.object({ integration: z.object({ key: z.string() }), figures })),
});
export type KpiAnswer = z.infer<typeof kpi>;

export const showKpi = operation(
  `query KpiShow($kpi: Kpi!, $scope: KpiScope, $from: DateTime!, $to: DateTime!, $first: Int) {
    kpi(kpi: $kpi, scope: $scope, from: $from, to: $to) {
      kpi unit from to integrations current { ${FIGURES} } previous { ${FIGURES} } ranking(first: $first) { integration { key } figures { ${FIGURES} } }
    }
  }`,
  z.object({ kpi }),
);

const points = z.object({ unit: z.string(), points: z.array(z.object({ at: z.string(), figures })) });

export const listKpiPoints = operation(
  `query KpiSeries($kpi: Kpi!, $scope: KpiScope, $from: DateTime!, $to: DateTime!, $step: KpiStep!) {
    kpi(kpi: $kpi, scope: $scope, from: $from, to: $to) { unit points(step: $step) { at figures { ${FIGURES} } } }
  }`,
  z.object({ kpi: points }),
);

const availability = z.object({
  availability: number,
  coverage: number,
  periodMs: z.number(),
  upMs: z.number(),
  downMs: z.number(),
  unknownMs: z.number(),
  excludedMs: z.number(),
  outOfScheduleMs: z.number(),
  missingMs: z.number(),
});
export type AvailabilityAnswer = z.infer<typeof availability>;

const AVAILABILITY = "availability coverage periodMs upMs downMs unknownMs excludedMs outOfScheduleMs missingMs";

const slaReport = z.object({
  from: z.string(),
  to: z.string(),
  net: availability,
  gross: availability,
  responseTime: figures,
  integrations: z.array(
    z.object({
      integration: z.object({ key: z.string() }),
      net: availability,
      gross: availability,
      responseTime: figures,
      maintenance: z.array(
        z.object({ key: z.string(), startsAt: z.string(), endsAt: z.string(), reason: z.string(), countedMs: z.number() }),
      ),
    }),
  ),
});

const SLA_VARIABLES = "$from: DateTime!, $to: DateTime!, $scope: KpiScope, $agreement: ServiceAgreementInput, $objective: String";
const SLA_ARGUMENTS = "from: $from, to: $to, scope: $scope, agreement: $agreement, objective: $objective";

export const readSlaReport = operation(
  `query SlaReport(${SLA_VARIABLES}) {
    slaReport(${SLA_ARGUMENTS}) {
      from to net { ${AVAILABILITY} } gross { ${AVAILABILITY} } responseTime { ${FIGURES} }
      integrations {
        integration { key } net { ${AVAILABILITY} } gross { ${AVAILABILITY} } responseTime { ${FIGURES} }
        maintenance { key startsAt endsAt reason countedMs }
      }
    }
  }`,
  z.object({ slaReport }),
);

export const readSlaCsv = operation(
  `query SlaCsv(${SLA_VARIABLES}) { slaReport(${SLA_ARGUMENTS}) { csv } }`,
  z.object({ slaReport: z.object({ csv: z.string() }) }),
);

const times = z.object({
  count: z.number(),
  meanMs: number,
  medianMs: number,
  p90Ms: number,
  censored: z.number(),
  longestOpenMs: number,
});
export type TimesAnswer = z.infer<typeof times>;
const TIMES = "count meanMs medianMs p90Ms censored longestOpenMs";

export const readIncidentTimes = operation(
  `query IncidentTimes($from: DateTime!, $to: DateTime!, $system: String, $team: String) {
    incidentTimes(from: $from, to: $to, system: $system, team: $team) { from to incidents acknowledge { ${TIMES} } resolve { ${TIMES} } open { key title openedAt } }
  }`,
  z.object({
    incidentTimes: z.object({
      from: z.string(),
      to: z.string(),
      incidents: z.number(),
      acknowledge: times,
      resolve: times,
      open: z.array(z.object({ key: z.string(), title: z.string(), openedAt: z.string() })),
    }),
  }),
);

export const readSecurityScore = operation(
  `query SecurityScore($scope: KpiScope) {
    securityScore(scope: $scope) { score endpoints parts { part weight value judged bad } caps { reason most } }
  }`,
  z.object({
    securityScore: z.object({
      score: number,
      endpoints: z.number(),
      parts: z.array(z.object({ part: z.string(), weight: z.number(), value: number, judged: z.number(), bad: z.number() })),
      caps: z.array(z.object({ reason: z.string(), most: z.number() })),
    }),
  }),
);
