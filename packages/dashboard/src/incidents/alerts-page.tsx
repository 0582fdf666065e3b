import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Choice } from "../components/choice.js";
import { Page } from "../components/page.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status } from "../components/status.js";
import { AlertNumbersDocument, AlertsDocument, type AlertsQuery } from "./alerts.generated.js";
import { alertFilterOf, type AlertFilters, severities, shownAlerts } from "./filters.js";
import { alertTitle } from "./alert-title.js";
import { reasonSentence, windowOf } from "./reason-sentence.js";
import { Severity } from "./state.js";
import { Tabs } from "./tabs.js";
import styles from "./incidents.module.css";

type ListedAlert = AlertsQuery["alerts"]["nodes"][number];

const PAGE_SIZE = 50;
const ANY = "any";
const kinds = ["alert.*", "incident.opened", "incident.grew", "incident.merged", "incident.split"];

/** Every alert with the reasons of each stage that kept it quiet or marked it, live. */
export function AlertsPage() {
  const filters = useSearch({ from: "/alerts" });
  const { formatMessage } = useIntl();
  const { data } = useLiveQuery(AlertNumbersDocument, {}, { kinds });
  const title =
    data === undefined
      ? formatMessage({ id: "incidents.alerts.menu" })
      : formatMessage({ id: "incidents.alerts.sentence" }, { firing: data.firing.totalCount, muted: data.muted.totalCount });
  return (
    <Page title={title}>
      <Tabs />
      <Filters filters={filters} />
      <List key={JSON.stringify(filters)} filters={filters} />
    </Page>
  );
}

function Filters({ filters }: { readonly filters: AlertFilters }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/alerts" });
  const { show = "firing", severity } = filters;
  const go = (chosen: { readonly show: (typeof shownAlerts)[number]; readonly severity: AlertFilters["severity"] }) =>
    void navigate({
      search: {
        ...(chosen.show === "firing" ? {} : { show: chosen.show }),
        ...(chosen.severity === undefined ? {} : { severity: chosen.severity }),
      },
      replace: true,
    });
  return (
    <search className={styles["filters"]}>
      <Choice
        label={formatMessage({ id: "incidents.filter.show" })}
        value={show}
        options={shownAlerts.map((id) => ({ id, text: formatMessage({ id: `incidents.alerts.show.${id}` }) }))}
        onChange={(next) => go({ show: next, severity })}
      />
      <Choice
        label={formatMessage({ id: "incidents.filter.severity" })}
        value={severity ?? ANY}
        options={[
          { id: ANY, text: formatMessage({ id: "incidents.filter.any" }) },
          ...severities.map((id) => ({ id, text: formatMessage({ id: `incidents.severity.${id}` }) })),
        ]}
        onChange={(chosen) => go({ show, severity: severities.find((one) => one === chosen) })}
      />
    </search>
  );
}

function List({ filters }: { readonly filters: AlertFilters }) {
  const pages = usePages();
  const { after } = pages;
  const variables = useMemo(() => ({ filter: alertFilterOf(filters), first: PAGE_SIZE, after }), [filters, after]);
  const { data, refusal, again } = useLiveQuery(AlertsDocument, variables, { kinds });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes, pageInfo } = data.alerts;
  const isFiltered = filters.severity !== undefined || filters.show === "quiet";
  if (nodes.length === 0)
    return (
      <Empty
        action={
          <Link to="/alerts" search={{ show: "all" }} className="button">
            <FormattedMessage id="incidents.alerts.show.all" />
          </Link>
        }
      >
        <FormattedMessage id={isFiltered ? "incidents.alerts.none-found" : "incidents.alerts.none"} />
      </Empty>
    );
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <ul className={styles["list"]}>
        {nodes.map((alert) => (
          <Row key={alert.id} alert={alert} />
        ))}
      </ul>
      <PageButtons pages={pages} pageInfo={pageInfo} />
    </>
  );
}

function Row({ alert }: { readonly alert: ListedAlert }) {
  const intl = useIntl();
  const times = useTimes();
  const title = alertTitle(alert, intl);
  const { key, severity, status, resourceName, endpoint, startedAt, endedAt, isMuted, incident, url } = alert;
  const span = endedAt === null ? times.instant(startedAt) : `${times.instant(startedAt)}–${times.end(startedAt, endedAt)}`;
  return (
    <li className={styles["row"]}>
      <span className={styles["name"]}>
        {url === null ? <span className={styles["title"]}>{title}</span> : <a href={url}>{title}</a>}
        <span className="quiet">
          <FormattedMessage id="incidents.alert.about" values={{ resource: resourceName, monitor: endpoint.name, key }} />
        </span>
      </span>
      <span className={styles["cell"]}>
        <Status tone={status === "RESOLVED" ? "quiet" : isMuted ? "held" : "failing"}>
          <FormattedMessage id={status === "FIRING" && isMuted ? "incidents.alert.muted" : `incidents.alert.short.${status}`} />
        </Status>
        <Severity severity={severity} />
        <span className="quiet">{span}</span>
      </span>
      <span className={styles["cell"]}>
        {incident === null ? (
          <span className="quiet">
            <FormattedMessage id="incidents.alert.no-incident" />
          </span>
        ) : (
          <Link to="/incidents/$key" params={{ key: incident.key }}>
            <FormattedMessage id="incidents.named" values={{ key: incident.key, title: incident.title }} />
          </Link>
        )}
      </span>
      <Reasons alert={alert} />
    </li>
  );
}

/** What each stage said, the newest first: what holds, and of an alert that has ended what held last. */
function Reasons({ alert: { reasons } }: { readonly alert: ListedAlert }) {
  const intl = useIntl();
  const times = useTimes();
  if (reasons.length === 0) return <span className={styles["cell"]} />;
  return (
    <ul className={styles["reasons"]} aria-label={intl.formatMessage({ id: "incidents.alert.reasons" })}>
      {reasons.map((reason) => {
        const window = reason.kind === "WINDOW" ? windowOf(reason.rule) : null;
        const sentence = reasonSentence(reason, { intl, times });
        return (
          <li
            key={reason.kind + reason.rule + reason.path + (reason.endedAt ?? "")}
            className={reason.endedAt === null ? undefined : "quiet"}
          >
            {window === null ? (
              sentence
            ) : (
              <Link to="/windows/$key" params={{ key: window }}>
                {sentence}
              </Link>
            )}
            {reason.endedAt === null ? null : (
              <>
                {" "}
                <FormattedMessage id="incidents.reason.until" values={{ until: times.instant(reason.endedAt) }} />
              </>
            )}
          </li>
        );
      })}
    </ul>
  );
}
