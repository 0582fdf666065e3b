import { Link } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { lengthText, useTimes } from "../app/times.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { IncidentTimesDocument, type IncidentTimesQuery } from "./care.generated.js";
import type { Question } from "./kpis-page.js";
import { changeText } from "./units.js";
import styles from "./kpis.module.css";

type Answer = IncidentTimesQuery["incidentTimes"];

const sides = ["acknowledge", "resolve"] as const;
const kinds = ["incident.*"];
/** The oldest are named; the list has all. */
const SHOWN_OPEN = 5;

/** How soon incidents of the period were taken (MTTA) and over (MTTR), beside the period before. Incidents belong to systems and teams. */
export function IncidentTimes({ question }: { readonly question: Question }) {
  const { scope, period, variables } = question;
  const isTold = scope === null || scope.kind === "system" || scope.kind === "team";
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.incidents" />
      </h2>
      {isTold ? (
        <Told
          asked={{
            from: variables.from,
            to: variables.to,
            system: scope?.kind === "system" ? scope.key : null,
            team: scope?.kind === "team" ? scope.key : null,
          }}
          lengthMs={period.to - period.from}
        />
      ) : (
        <p className="quiet">
          <FormattedMessage id="kpis.incidents.elsewhere" values={{ kind: scope.kind }} />
        </p>
      )}
    </section>
  );
}

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly system: string | null;
  readonly team: string | null;
}

function Told({ asked, lengthMs }: { readonly asked: Asked; readonly lengthMs: number }) {
  const { data, refusal, again } = useLiveQuery(IncidentTimesDocument, asked, { kinds });
  const earlier = { ...asked, from: new Date(Date.parse(asked.from) - lengthMs).toISOString(), to: asked.from };
  const before = useLiveQuery(IncidentTimesDocument, earlier).data?.incidentTimes ?? null;
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { incidentTimes: answer } = data;
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {answer.incidents === 0 ? (
        <Empty>
          <FormattedMessage id="kpis.incidents.none" />
        </Empty>
      ) : (
        <>
          <div className={styles["levels"]}>
            {sides.map((side) => (
              <Time key={side} side={side} answer={answer} before={before} />
            ))}
          </div>
          <Open open={answer.open} />
        </>
      )}
    </>
  );
}

function Time({
  side,
  answer,
  before,
}: {
  readonly side: (typeof sides)[number];
  readonly answer: Answer;
  readonly before: Answer | null;
}) {
  const intl = useIntl();
  const { count, meanMs, medianMs, p90Ms, censored, longestOpenMs } = answer[side];
  const earlier = before?.[side].meanMs ?? null;
  const length = (ms: number | null) => (ms === null ? "–" : lengthText(ms));
  return (
    <div className={styles["level"]} role="group" aria-label={intl.formatMessage({ id: `kpis.incidents.${side}` })}>
      <span className={styles["level-name"]}>
        <FormattedMessage id={`kpis.incidents.${side}`} />
      </span>
      <span className={styles["level-value"]}>{length(meanMs)}</span>
      <span className="quiet">
        {earlier === null ? (
          <FormattedMessage id="kpis.before.none" />
        ) : (
          <FormattedMessage
            id="kpis.before"
            values={{ before: length(earlier), change: changeText(meanMs, earlier, { unit: "ms", intl }) ?? "none" }}
          />
        )}
      </span>
      <span className="quiet">
        <FormattedMessage id="kpis.incidents.figures" values={{ count, median: length(medianMs), p90: length(p90Ms) }} />
      </span>
      {censored === 0 ? null : (
        <span>
          <FormattedMessage id={`kpis.incidents.${side}.open`} values={{ count: censored, longest: length(longestOpenMs) }} />
        </span>
      )}
    </div>
  );
}

function Open({ open }: { readonly open: Answer["open"] }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  if (open.length === 0) return null;
  return (
    <ul className={styles["open"]} aria-label={formatMessage({ id: "kpis.incidents.open" })}>
      {open.slice(0, SHOWN_OPEN).map(({ id, key, title, openedAt }) => (
        <li key={id}>
          <Link to="/incidents/$key" params={{ key }}>
            {title}
          </Link>{" "}
          <span className="quiet">
            <FormattedMessage id="kpis.incidents.since" values={{ at: times.instant(openedAt) }} />
          </span>
        </li>
      ))}
      {open.length <= SHOWN_OPEN ? null : (
        <li>
          <Link to="/incidents">
            <FormattedMessage id="windows.more" values={{ count: open.length - SHOWN_OPEN }} />
          </Link>
        </li>
      )}
    </ul>
  );
}
