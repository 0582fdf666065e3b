import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveState } from "../app/live.js";
import { useNow, useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { IncidentActions, Offer } from "./incident-actions.js";
import { IncidentAlerts } from "./incident-alerts.js";
import { IncidentProgressDocument } from "./incident.generated.js";
import { incidentSentence, type ShownIncident } from "./incident-sentence.js";
import { IncidentStatus, Severity } from "./state.js";
import { Timeline } from "./timeline.js";
import styles from "./incidents.module.css";

const REDRAW_MS = 10_000;
const SHOWN_INTEGRATIONS = 12;

/** An incident: where it is and whose it is, where it comes from, what it has, and what was done about it; live. */
export function IncidentPage() {
  const { key } = useParams({ from: "/incidents/$key" });
  const { data, refusal, again } = useLiveState(IncidentProgressDocument, { key });
  if (data === undefined) {
    if (refusal === null) return <Loading />;
    const isUnknown = refusal.code === "QSC_INCIDENT_NOT_FOUND" || refusal.code === "QSC_ID_MALFORMED";
    return isUnknown ? <Unknown incidentKey={key} /> : <ErrorState refusal={refusal} onAgain={again} />;
  }
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <Shown key={data.incidentProgress.incident.key} incident={data.incidentProgress.incident} />
    </>
  );
}

function Unknown({ incidentKey }: { readonly incidentKey: string }) {
  const { formatMessage } = useIntl();
  return (
    <Page title={formatMessage({ id: "incidents.unknown" }, { key: incidentKey })}>
      <Empty
        action={
          <Link to="/incidents" className="button">
            <FormattedMessage id="incidents.menu" />
          </Link>
        }
      >
        <FormattedMessage id="incidents.unknown.how" />
      </Empty>
    </Page>
  );
}

function Shown({ incident }: { readonly incident: ShownIncident }) {
  const intl = useIntl();
  const times = useTimes();
  return (
    <Page title={incidentSentence(incident, { intl, times })} actions={<IncidentActions incident={incident} />}>
      <Strip incident={incident} />
      {incident.offeredTo === null ? null : <Offer incident={incident} />}
      {incident.isQuiet ? (
        <p className="quiet">
          <FormattedMessage id="incidents.quiet" />
        </p>
      ) : null}
      <div className={styles["columns"]}>
        <div>
          <IncidentAlerts incident={incident} />
          <Touched incident={incident} />
        </div>
        <Timeline incident={incident} />
      </div>
    </Page>
  );
}

function Strip({ incident }: { readonly incident: ShownIncident }) {
  const times = useTimes();
  const now = useNow(REDRAW_MS);
  const { key, state, severity, ownerTeam, assignee, startedAt, resolvedAt, problem, reopened, holdReason, mergedInto } = incident;
  const end = resolvedAt === null ? now : Date.parse(resolvedAt);
  return (
    <dl className={styles["strip"]}>
      <Fact id="incidents.fact.number">{key}</Fact>
      <Fact id="incidents.fact.state">
        <IncidentStatus state={state} /> {holdReason === null ? null : <span className="quiet">{holdReason}</span>}
        {mergedInto === null ? null : (
          <Link to="/incidents/$key" params={{ key: mergedInto.key }}>
            {mergedInto.title}
          </Link>
        )}
      </Fact>
      <Fact id="incidents.fact.severity">
        <Severity severity={severity} />
      </Fact>
      <Fact id="incidents.fact.owner">
        <FormattedMessage id="incidents.owner" values={{ team: ownerTeam ?? "none", assignee: assignee ?? "none" }} />
      </Fact>
      <Fact id="incidents.fact.length">
        {times.length(Math.max(0, end - Date.parse(startedAt)))}
        {reopened === 0 ? null : (
          <span className="quiet">
            {" "}
            <FormattedMessage id="incidents.reopened" values={{ count: reopened }} />
          </span>
        )}
      </Fact>
      {problem === null ? null : (
        <Fact id="incidents.fact.problem">
          <Link to="/problems/$key" params={{ key: problem.key }}>
            <FormattedMessage id="incidents.problem.link" values={{ key: problem.key, title: problem.title }} />
          </Link>
        </Fact>
      )}
    </dl>
  );
}

type FactId = `incidents.fact.${"number" | "state" | "severity" | "owner" | "length" | "problem"}`;

function Fact({ id, children }: { readonly id: FactId; readonly children: ReactNode }) {
  return (
    <div>
      <dt>
        <FormattedMessage id={id} />
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

function Touched({ incident: { integrations } }: { readonly incident: ShownIncident }) {
  if (integrations.length === 0) return null;
  return (
    <section>
      <h2>
        <FormattedMessage id="incidents.touched" values={{ count: integrations.length }} />
      </h2>
      <ul className={styles["plain"]}>
        {integrations.slice(0, SHOWN_INTEGRATIONS).map(({ id, key, name }) => (
          <li key={id}>
            <a href={`/integrations/${encodeURIComponent(key)}`}>{name}</a>
          </li>
        ))}
      </ul>
      {integrations.length > SHOWN_INTEGRATIONS ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: integrations.length - SHOWN_INTEGRATIONS }} />
        </p>
      ) : null}
    </section>
  );
}
