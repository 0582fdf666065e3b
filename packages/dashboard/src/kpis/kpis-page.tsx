import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { FormattedMessage, type IntlShape, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { type Times, useNow, useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Agreement } from "./agreement.js";
import { Controls } from "./controls.js";
import { CsvButton } from "./csv-button.js";
import { Figures } from "./figures.js";
import { Identity } from "./identity.js";
import { IncidentTimes } from "./incident-times.js";
import { IntegrationLevels } from "./integration-levels.js";
import { kpiOfName } from "./kpi-names.js";
import {
  ServiceLevelsBeforeDocument,
  ServiceLevelsDocument,
  type ServiceLevelsQuery,
  type ServiceLevelsQueryVariables,
} from "./kpis.generated.js";
import { Levels } from "./levels.js";
import { Maintenance } from "./maintenance.js";
import { Objectives } from "./objectives.js";
import { PrintButton } from "./print-button.js";
import { type Period, periodOf } from "./period.js";
import { type Scope, scopeInput, scopeOf } from "./scope.js";
import { agreementOf, type KpiSearch } from "./search.js";
import { Security } from "./security.js";
import { Series } from "./series.js";
import { maintenanceOnce } from "./series-data.js";
import { Thresholds } from "./thresholds.js";
import { availabilityText } from "./units.js";
import { drawnOf, useFigures } from "./use-figures.js";
import "./print.css";

/** Figures move with the minute: sums are a second or two behind what happens, and periods end with a minute. */
const MINUTE_MS = 60_000;

/** From this share of the time on a heading needs no reservation. */
const MOSTLY_KNOWN = 0.99;

/** What was asked, in the form in which every part of the page asks it. */
export interface Question {
  readonly scope: Scope | null;
  readonly period: Period;
  readonly zone: string;
  readonly variables: ServiceLevelsQueryVariables;
}

/**
 * Service levels net and gross, figures with the period before, one of them drawn, and who is worst; what was promised and whether it holds, how soon
 * incidents were taken, and how well access is kept. What is asked is in the address.
 */
export function KpisPage() {
  const search = useSearch({ from: "/kpis" });
  const question = useQuestion(search);
  const { formatMessage } = useIntl();
  if (question !== null) return <Asked question={question} search={search} />;
  return (
    <Page title={formatMessage({ id: "kpis.menu" })}>
      <Controls search={search} />
      <Empty>
        <FormattedMessage id="kpis.no-period" />
      </Empty>
    </Page>
  );
}

function useQuestion(search: KpiSearch): Question | null {
  const { ownZone } = useTimes();
  const minute = Math.floor(useNow(MINUTE_MS) / MINUTE_MS);
  const key = JSON.stringify(search);
  return useMemo(() => {
    const asked = JSON.parse(key) as KpiSearch;
    const zone = asked.zone ?? ownZone;
    const { period: name = "week", first, last } = asked;
    const period = periodOf(name, { now: minute * MINUTE_MS, zone, first, last });
    if (period === null) return null;
    const scope = scopeOf(asked);
    const [from, to] = [new Date(period.from).toISOString(), new Date(period.to).toISOString()];
    return { scope, period, zone, variables: { scope: scopeInput(scope), from, to, agreement: agreementOf(asked, zone) } };
  }, [key, minute, ownZone]);
}

function Asked({ question, search }: { readonly question: Question; readonly search: KpiSearch }) {
  const intl = useIntl();
  const times = useTimes();
  const { variables, period } = question;
  const { data, refusal, again } = useLiveQuery(ServiceLevelsDocument, variables);
  const before = useLiveQuery(ServiceLevelsBeforeDocument, variablesBefore(variables, period));
  const report = data?.slaReport;
  const title = report === undefined ? intl.formatMessage({ id: "kpis.menu" }) : levelSentence(report, { question, intl, times });
  return (
    <Page
      title={title}
      actions={
        <>
          <CsvButton variables={variables} />
          <PrintButton />
        </>
      }
    >
      <Controls search={search} />
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {report === undefined ? (
        refusal === null ? (
          <Loading />
        ) : null
      ) : (
        <>
          <Levels report={report} before={before.data?.slaReport ?? null} />
          <Identity report={report} />
          <Agreement search={search} zone={question.zone} />
        </>
      )}
      <Drawn question={question} search={search} report={report} />
      <Objectives scope={question.scope} />
      <Thresholds question={question} />
      <IncidentTimes question={question} />
      <Security question={question} />
      {report === undefined ? null : (
        <>
          <IntegrationLevels report={report} />
          <Maintenance report={report} zone={question.zone} />
        </>
      )}
    </Page>
  );
}

/** The figures, and the chart of one of them. */
function Drawn(props: {
  readonly question: Question;
  readonly search: KpiSearch;
  readonly report: ServiceLevelsQuery["slaReport"] | undefined;
}) {
  const { question, search, report } = props;
  const { figures, refusal, again } = useFigures(question);
  if (figures === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const drawn = drawnOf(figures, search.kpi);
  return (
    <>
      <Figures figures={figures} drawn={drawn} />
      <Series question={question} kpi={kpiOfName(drawn)} maintenance={maintenanceOnce(report?.integrations ?? [])} />
    </>
  );
}

function variablesBefore(variables: ServiceLevelsQueryVariables, { from, to }: Period): ServiceLevelsQueryVariables {
  return { ...variables, from: new Date(from - (to - from)).toISOString(), to: variables.from };
}

/** "orders was available 99.950 % net of agreed maintenance, 98.211 % gross, from 14 November 10:00 to now; only 12.500 % of the time is known." */
export function levelSentence(
  report: Pick<ServiceLevelsQuery["slaReport"], "net" | "gross">,
  {
    question,
    intl,
    times,
  }: { readonly question: Pick<Question, "scope" | "period" | "zone">; readonly intl: IntlShape; readonly times: Times },
): string {
  const { scope, period, zone } = question;
  const values = {
    kind: scope?.kind ?? "all",
    name: scope?.key ?? "",
    from: `${times.day(period.from, zone)} ${times.clock(period.from, zone)}`,
    to: `${times.day(period.to, zone)} ${times.clock(period.to, zone)}`,
  };
  if (report.net.availability === null && report.gross.availability === null)
    return intl.formatMessage({ id: "kpis.sentence.unknown" }, values);
  return intl.formatMessage(
    { id: "kpis.sentence" },
    {
      ...values,
      net: availabilityText(report.net.availability, intl),
      gross: availabilityText(report.gross.availability, intl),
      // 100 % of ten minutes in a week is no week.
      known: (report.gross.coverage ?? 0) >= MOSTLY_KNOWN ? "all" : availabilityText(report.gross.coverage, intl),
    },
  );
}
