import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { WindowLedgerDocument, WindowReportDocument, type WindowReportQuery } from "./report.generated.js";
import styles from "./windows.module.css";

type Report = WindowReportQuery["windowReport"];

const SHOWN_INTEGRATIONS = 200;

/** What an occurrence did: what was due, held, made up for, and every due time of it. */
export function ReportPage() {
  const { key } = useParams({ from: "/windows/$key/report" });
  const { at = null } = useSearch({ from: "/windows/$key/report" });
  const { data, refusal, again } = useLiveQuery(WindowReportDocument, { key, localStart: at }, { kinds: ["window.*", "run.*"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  return <Shown windowKey={key} report={data.windowReport} />;
}

function Shown({ windowKey, report }: { readonly windowKey: string; readonly report: Report }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { title, startsAt, timeZone: zone, held, due, breakGlass } = report;
  const back = (
    <Link to="/windows/$key" params={{ key: windowKey }} className="button">
      <FormattedMessage id="windows.report.back" />
    </Link>
  );
  return (
    <Page title={formatMessage({ id: "windows.report.title" }, { title, day: times.day(startsAt, zone), held, due })} actions={back}>
      <Figures report={report} />
      {breakGlass.length === 0 ? null : (
        <>
          <h2>
            <FormattedMessage id="windows.report.break-glass" />
          </h2>
          <ul className={styles["notices"]}>
            {breakGlass.map(({ job, by, orderedAt, reason }) => (
              <li key={job + orderedAt}>
                <FormattedMessage id="windows.report.break-glass.line" values={{ job, by, reason, at: times.instant(orderedAt, zone) }} />
              </li>
            ))}
          </ul>
        </>
      )}
      <Integrations report={report} />
      <Ledger report={report} />
    </Page>
  );
}

function Figures({ report }: { readonly report: Report }) {
  const { formatMessage, formatNumber } = useIntl();
  const times = useTimes();
  const nothing = formatMessage({ id: "windows.nothing" });
  const figures = [
    ["windows.report.drain", report.drainMs === null ? nothing : times.length(report.drainMs)],
    ["windows.report.released", report.releasedAt === null ? nothing : times.instant(report.releasedAt, report.timeZone)],
    ["windows.report.aborted", formatNumber(report.aborted)],
    ["windows.report.postponed", formatNumber(report.postponed)],
    ["windows.report.inside", formatNumber(report.startedInside)],
    ["windows.report.failed", formatNumber(report.failed)],
  ] as const;
  return (
    <>
      <h2>
        <FormattedMessage id="windows.report.numbers" />
      </h2>
      <dl className={styles["figures"]}>
        {figures.map(([id, value]) => (
          <div key={id}>
            <dt>{formatMessage({ id })}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Integrations({ report }: { readonly report: Report }) {
  const { formatMessage, formatNumber } = useIntl();
  const { integrations } = report;
  const columns = ["due", "held", "coalesced", "failed"] as const;
  if (integrations.length === 0) return null;
  return (
    <>
      <h2>
        <FormattedMessage id="windows.report.integrations" />
      </h2>
      <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={formatMessage({ id: "windows.report.integrations" })}>
        <table className={styles["table"]}>
          <thead>
            <tr>
              <th scope="col">{formatMessage({ id: "windows.report.integration" })}</th>
              <th scope="col">{formatMessage({ id: "windows.report.path" })}</th>
              {columns.map((column) => (
                <th key={column} scope="col" className={styles["number"]}>
                  {formatMessage({ id: `windows.report.${column}` })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {integrations.slice(0, SHOWN_INTEGRATIONS).map((line) => (
              <tr key={line.key}>
                <td>
                  <a href={`/integrations/${encodeURIComponent(line.key)}`}>{line.key}</a>
                </td>
                <td>{line.path}</td>
                {columns.map((column) => (
                  <td key={column} className={styles["number"]}>
                    {formatNumber(line[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {integrations.length > SHOWN_INTEGRATIONS ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: integrations.length - SHOWN_INTEGRATIONS }} />
        </p>
      ) : null}
    </>
  );
}

/** The due times between start and release of what it covered, page by page. */
function Ledger({ report }: { readonly report: Report }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const { startsAt, endsAt, releasedAt, timeZone: zone, integrations } = report;
  const covered = useMemo(() => new Set(integrations.map(({ key }) => key)), [integrations]);
  const after = cursors.at(-1) ?? null;
  const variables = useMemo(
    () => ({ filter: { dueFrom: startsAt, dueTo: releasedAt ?? endsAt }, after }),
    [startsAt, endsAt, releasedAt, after],
  );
  const { data, refusal, again } = useLiveQuery(WindowLedgerDocument, variables, { kinds: ["run.*"] });
  const heading = (
    <h2>
      <FormattedMessage id="windows.ledger" />
    </h2>
  );
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const rows = data.ledger.nodes.filter(({ integration }) => covered.has(integration.key));
  const { hasNextPage, endCursor } = data.ledger.pageInfo;
  return (
    <>
      {heading}
      {rows.length === 0 ? (
        <Empty>
          <FormattedMessage id="windows.ledger.none" />
        </Empty>
      ) : (
        <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={formatMessage({ id: "windows.ledger" })}>
          <table className={styles["table"]}>
            <thead>
              <tr>
                {(["at", "job", "state", "why"] as const).map((column) => (
                  <th key={column} scope="col">
                    {formatMessage({ id: `windows.ledger.${column}` })}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ dueAt, job, state, why, run }) => (
                <tr key={`${run.id} ${dueAt}`}>
                  <td>{times.instant(dueAt, zone)}</td>
                  <td>{job.key}</td>
                  <td>{formatMessage({ id: `windows.run.${state}` })}</td>
                  <td>{why}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className={styles["paging"]}>
        {cursors.length > 1 ? (
          <Button onPress={() => setCursors(cursors.slice(0, -1))}>
            <FormattedMessage id="windows.page.before" />
          </Button>
        ) : null}
        {hasNextPage ? (
          <Button onPress={() => setCursors([...cursors, endCursor])}>
            <FormattedMessage id="windows.page.after" />
          </Button>
        ) : null}
      </div>
    </>
  );
}
