import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { FormattedMessage, type IntlShape, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { type Times, useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Choice } from "../components/choice.js";
import { incidentFilterOf, type IncidentFilters, severities, shownIncidents } from "./filters.js";
import {
  IncidentNumbersDocument,
  type IncidentNumbersQuery,
  IncidentsDocument,
  type IncidentsQuery,
  OwnerTeamsDocument,
} from "./incidents.generated.js";
import { IncidentStatus, Severity } from "./state.js";
import { Tabs } from "./tabs.js";
import styles from "./incidents.module.css";

type ListedIncident = IncidentsQuery["incidents"]["nodes"][number];

const PAGE_SIZE = 50;
const ANY = "any";
const kinds = ["incident.*", "alert.fired", "alert.resolved"];

/** Incidents with where they are and whose they are, live. The filters are in the address. */
export function IncidentsPage() {
  const filters = useSearch({ from: "/incidents" });
  const { data } = useLiveQuery(IncidentNumbersDocument, {}, { kinds });
  return (
    <Page title={useListSentence(data)} actions={<Actions />}>
      <Tabs />
      <Filters filters={filters} />
      <List key={JSON.stringify(filters)} filters={filters} numbers={data} />
    </Page>
  );
}

function useListSentence(numbers: IncidentNumbersQuery | undefined): string {
  const intl = useIntl();
  const times = useTimes();
  return numbers === undefined ? intl.formatMessage({ id: "incidents.menu" }) : listSentence(numbers, { intl, times });
}

/** "3 incidents are open, 1 of them critical. Nobody has taken 2." */
export function listSentence(
  { live, untaken, critical, last }: IncidentNumbersQuery,
  { intl, times }: { readonly intl: Pick<IntlShape, "formatMessage">; readonly times: Times },
): string {
  if (live.totalCount > 0)
    return intl.formatMessage(
      { id: "incidents.sentence" },
      { live: live.totalCount, critical: critical.totalCount, untaken: untaken.totalCount },
    );
  const [before] = last.nodes;
  if (before === undefined || before.resolvedAt === null) return intl.formatMessage({ id: "incidents.none-ever" });
  const length = times.length(Date.parse(before.resolvedAt) - Date.parse(before.startedAt));
  return intl.formatMessage({ id: "incidents.none" }, { day: times.day(before.resolvedAt), length });
}

function Actions() {
  return (
    <Link to="/correlation-rules" className="button">
      <FormattedMessage id="incidents.rules" />
    </Link>
  );
}

function Filters({ filters }: { readonly filters: IncidentFilters }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/incidents" });
  const { data } = useLiveQuery(OwnerTeamsDocument, {});
  const change = (next: { readonly [name in keyof IncidentFilters]: IncidentFilters[name] | undefined }) =>
    void navigate({ search: withoutEmpty({ ...filters, ...next }), replace: true });
  const teams = (data?.teams.nodes ?? []).map(({ key, title }) => ({ id: key, text: title === "" ? key : title }));
  return (
    <search className={styles["filters"]}>
      <Choice
        label={formatMessage({ id: "incidents.filter.show" })}
        value={filters.show ?? "live"}
        options={shownIncidents.map((id) => ({ id, text: formatMessage({ id: `incidents.show.${id}` }) }))}
        onChange={(show) => change({ show: show === "live" ? undefined : show })}
      />
      <Choice
        label={formatMessage({ id: "incidents.filter.severity" })}
        value={filters.severity ?? ANY}
        options={[
          { id: ANY, text: formatMessage({ id: "incidents.filter.any" }) },
          ...severities.map((id) => ({ id, text: formatMessage({ id: `incidents.severity.${id}` }) })),
        ]}
        onChange={(chosen) => change({ severity: severities.find((one) => one === chosen) })}
      />
      <Choice
        label={formatMessage({ id: "incidents.filter.team" })}
        value={filters.team ?? ""}
        options={[{ id: "", text: formatMessage({ id: "incidents.filter.any" }) }, ...teams]}
        onChange={(team) => change({ team: team === "" ? undefined : team })}
      />
    </search>
  );
}

/** What is not chosen is not in the address. */
function withoutEmpty(filters: { readonly [name in keyof IncidentFilters]: IncidentFilters[name] | undefined }): IncidentFilters {
  const { show, severity, team } = filters;
  return {
    ...(show === undefined ? {} : { show }),
    ...(severity === undefined ? {} : { severity }),
    ...(team === undefined ? {} : { team }),
  };
}

function List({ filters, numbers }: { readonly filters: IncidentFilters; readonly numbers: IncidentNumbersQuery | undefined }) {
  const pages = usePages();
  const { after } = pages;
  const variables = useMemo(() => ({ filter: incidentFilterOf(filters), first: PAGE_SIZE, after }), [filters, after]);
  const { data, refusal, again } = useLiveQuery(IncidentsDocument, variables, { kinds });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes, pageInfo } = data.incidents;
  const isFiltered = filters.severity !== undefined || filters.team !== undefined || (numbers?.live.totalCount ?? 0) > 0;
  if (nodes.length === 0)
    return (
      <Empty
        action={
          <Link to="/incidents" search={{ show: "all" }} className="button">
            <FormattedMessage id="incidents.show.all" />
          </Link>
        }
      >
        <FormattedMessage id={isFiltered ? "incidents.none-found" : "incidents.none-how"} />
      </Empty>
    );
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <ul className={styles["list"]}>
        {nodes.map((incident) => (
          <Row key={incident.id} incident={incident} />
        ))}
      </ul>
      <PageButtons pages={pages} pageInfo={pageInfo} />
    </>
  );
}

function Row({ incident }: { readonly incident: ListedIncident }) {
  const times = useTimes();
  const { key, title, state, severity, startedAt, resolvedAt, ownerTeam, assignee, offeredTo, alertCount, firingCount } = incident;
  return (
    <li className={styles["row"]}>
      <span className={styles["name"]}>
        <Link to="/incidents/$key" params={{ key }}>
          {title}
        </Link>
        <span className="quiet">
          <FormattedMessage id="incidents.row" values={{ key, system: incident.system?.name ?? "none", since: times.instant(startedAt) }} />
        </span>
      </span>
      <span className={styles["cell"]}>
        <IncidentStatus state={state} />
        <Severity severity={severity} />
      </span>
      <span className={styles["cell"]}>
        <span>
          <FormattedMessage id="incidents.owner" values={{ team: ownerTeam ?? "none", assignee: assignee ?? "none" }} />
        </span>
        {offeredTo === null ? null : (
          <span className="quiet">
            <FormattedMessage id="incidents.offered" values={{ team: offeredTo }} />
          </span>
        )}
      </span>
      <span className={styles["cell"]}>
        <FormattedMessage id="incidents.alerts" values={{ count: alertCount, firing: firingCount }} />
        {resolvedAt === null ? null : <span className="quiet">{times.length(Date.parse(resolvedAt) - Date.parse(startedAt))}</span>}
      </span>
    </li>
  );
}
