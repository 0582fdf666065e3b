import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { coveragePathText } from "./coverage-path.js";
import { endingSentence } from "./ending-sentence.js";
import { WindowLedgerDocument, WindowReportDocument, type WindowReportQuery } from "./report.generated.js";
import styles from "./windows.module.css";

type Report = WindowReportQuery["windowReport"];

const SHOWN_INTEGRATIONS = 200;
const MINUTE_MS = 60_000;

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
      <Ledger windowKey={windowKey} report={report} />
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
  const intl = useIntl();
  const { formatMessage, formatNumber } = intl;
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
                  <Link to="/integrations/$key" params={{ key: line.key }}>
                    {line.key}
                  </Link>
                </td>
                <td>{coveragePathText(line.path, intl)}</td>
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
      {integrations.some((line) => line.held > line.due) ? (
        <p className="quiet">
          <FormattedMessage id="windows.report.earlier" />
        </p>
      ) : null}
      {integrations.length > SHOWN_INTEGRATIONS ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: integrations.length - SHOWN_INTEGRATIONS }} />
        </p>
      ) : null}
    </>
  );
}

/** The due times between start and release of what it covered, page by page. */
function Ledger({ windowKey, report }: { readonly windowKey: string; readonly report: Report }) {
  const intl = useIntl();
  const { formatMessage } = intl;
  const times = useTimes();
  const pages = usePages();
  const { startsAt, endsAt, releasedAt, localStart, timeZone: zone } = report;
  const variables = useMemo(
    () => ({ filter: { window: windowKey, localStart, dueFrom: startsAt, dueTo: releasedAt ?? endsAt }, after: pages.after }),
    [windowKey, localStart, startsAt, endsAt, releasedAt, pages.after],
  );
  const { data, refusal, again } = useLiveQuery(WindowLedgerDocument, variables, { kinds: ["run.*"] });
  // What is due every few seconds would stand there many times with the same minute.
  const dueText = (at: string) => {
    const isWholeMinute = Date.parse(at) % MINUTE_MS === 0;
    const text = times.instant(at, zone);
    return isWholeMinute ? text : text.replace(times.clock(at, zone), times.clockWithSeconds(at, zone));
  };
  const heading = (
    <h2>
      <FormattedMessage id="windows.ledger" />
    </h2>
  );
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes: rows, pageInfo } = data.ledger;
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
                    {formatMessage({ id: `windows.ledger.${column}` }, { zone })}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((entry) => (
                <tr key={`${entry.run.id} ${entry.dueAt}`}>
                  <td>{dueText(entry.dueAt)}</td>
                  <td>{entry.job.key}</td>
                  <td>{formatMessage({ id: `windows.run.${entry.state}` })}</td>
                  <td>{endingSentence(entry, { intl, at: dueText, length: (ms) => (ms < 1_000 ? `${ms} ms` : times.length(ms)) })}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <PageButtons pages={pages} pageInfo={pageInfo} />
    </>
  );
}
