import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { Button, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useNow, useTimes } from "../app/times.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status } from "../components/status.js";
import type { Question } from "./kpis-page.js";
import { scopeInput } from "./scope.js";
import { ThresholdValuesDocument } from "./thresholds.generated.js";
import { figureText } from "./units.js";
import { brokenWithin, type ShownThreshold, useThresholds } from "./use-thresholds.js";
import styles from "./kpis.module.css";

type Broken = ShownThreshold["broken"];

const MINUTE_MS = 60_000;
/** What is read beside a threshold: long enough for some points of it, short enough to be the present. */
const recentMinutes: { readonly [step in ShownThreshold["step"]]: number } = { MINUTE: 15, HOUR: 360 };
/** The worst are listed; the API ranks 200. */
const SHOWN = 20;

/** Values that a figure must not go beyond: whether they hold, what is measured beside them, and since when they are broken. */
export function Thresholds({ question }: { readonly question: Question }) {
  const { data, refusal, again, shown, isCut } = useThresholds(question);
  // A point that changes no state is told by no event.
  useEffect(() => {
    const timer = setInterval(again, MINUTE_MS);
    return () => clearInterval(timer);
  }, [again]);
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.thresholds" />
      </h2>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {data === undefined ? (
        refusal === null ? (
          <Loading />
        ) : null
      ) : shown.length === 0 ? (
        <Empty>
          <FormattedMessage id="kpis.thresholds.none" />
        </Empty>
      ) : (
        <ul className={styles["objectives"]}>
          {shown.map((threshold) => (
            <li key={threshold.id}>
              <Threshold threshold={threshold} question={question} />
            </li>
          ))}
        </ul>
      )}
      {isCut ? (
        <p className="quiet">
          <FormattedMessage id="kpis.thresholds.more" values={{ count: data?.thresholds.nodes.length ?? 0 }} />
        </p>
      ) : null}
    </section>
  );
}

function Threshold({ threshold, question }: { readonly threshold: ShownThreshold; readonly question: Question }) {
  const intl = useIntl();
  const [isOpen, setOpen] = useState(false);
  const { title, kpi, unit, comparison, value, clearValue, step, rule, problem } = threshold;
  const broken = brokenWithin(threshold, question.scope);
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={3} className={styles["objective-heading"]}>
        <Button slot="trigger" className={styles["objective-button"] ?? ""}>
          <span className={styles["chevron"]} aria-hidden="true" />
          <State threshold={threshold} broken={broken} />
          <span className={styles["objective-title"]}>{title}</span>
          <span className="quiet">
            <FormattedMessage
              id="kpis.threshold.terms"
              values={{
                kpi: intl.formatMessage({ id: `kpis.kpi.${kpi}` }),
                comparison,
                value: figureText(value, unit, intl),
              }}
            />
          </span>
          <Last threshold={threshold} question={question} />
        </Button>
      </Heading>
      <DisclosurePanel className={styles["objective-panel"] ?? ""}>
        {problem === null ? null : (
          <p lang="en" className={styles["problem"]}>
            {problem}
          </p>
        )}
        <p className="quiet">
          <FormattedMessage
            id="kpis.threshold.rule"
            values={{ rule, step, clear: clearValue === value ? "same" : figureText(clearValue, unit, intl), comparison }}
          />
        </p>
        {isOpen ? <Values threshold={threshold} broken={broken} question={question} /> : null}
      </DisclosurePanel>
    </Disclosure>
  );
}

/** "last 812 ms at Orders": beside the value that it must not go beyond. */
function Last({ threshold: { lastPoints, unit }, question }: { readonly threshold: ShownThreshold; readonly question: Question }) {
  const intl = useIntl();
  const times = useTimes();
  const [worst] = lastPoints;
  if (worst === undefined) return null;
  const where = question.scope?.kind === "integration" ? "none" : worst.integration.name;
  return (
    <span className="quiet">
      <FormattedMessage
        id="kpis.threshold.last"
        values={{ value: figureText(worst.value, unit, intl), where, at: times.instant(worst.at) }}
      />
    </span>
  );
}

function State({ threshold: { problem, lookedAt, lastPoints }, broken }: { readonly threshold: ShownThreshold; readonly broken: Broken }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const since = broken.map((one) => one.since).toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
  if (since !== undefined)
    return (
      <Status tone="failing">
        {formatMessage({ id: "kpis.threshold.broken" }, { count: broken.length, since: times.instant(since) })}
      </Status>
    );
  const id = problem !== null || lookedAt === null || lastPoints.length === 0 ? "kpis.threshold.unknown" : "kpis.threshold.holds";
  return <Status tone={id === "kpis.threshold.holds" ? "quiesced" : "quiet"}>{formatMessage({ id })}</Status>;
}

/** What is measured now beside the threshold: the broken ones first, then the worst of the others. */
function Values({
  threshold,
  broken,
  question,
}: {
  readonly threshold: ShownThreshold;
  readonly broken: Broken;
  readonly question: Question;
}) {
  const intl = useIntl();
  const times = useTimes();
  const { kpi, unit, step, value: limit } = threshold;
  const { integration, system, team, tag } = threshold.scope;
  const minute = Math.ceil(useNow(MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  const { scope } = question;
  const variables = useMemo(
    () => ({
      kpi,
      scope: scope?.kind === "integration" ? scopeInput(scope) : { integration, system, team, tag },
      from: new Date(minute - recentMinutes[step] * MINUTE_MS).toISOString(),
      to: new Date(minute).toISOString(),
      first: SHOWN,
    }),
    [kpi, scope, integration, system, team, tag, step, minute],
  );
  const { data, refusal, again } = useLiveQuery(ThresholdValuesDocument, variables);
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { ranking } = data.kpi;
  const measured = new Map(ranking.map((one) => [one.integration.key, one.figures.value]));
  const brokenKeys = new Set(broken.map((one) => one.integration.key));
  const lines = [
    ...broken.map((one) => ({ of: one.integration, since: one.since, hasAlert: one.hasAlert })),
    ...ranking
      .filter((one) => one.figures.value !== null && !brokenKeys.has(one.integration.key))
      .map((one) => ({ of: one.integration, since: null, hasAlert: true })),
  ].slice(0, SHOWN);
  if (lines.length === 0)
    return (
      <p className="quiet">
        <FormattedMessage id="kpis.threshold.unmeasured" values={{ step }} />
      </p>
    );
  const label = intl.formatMessage({ id: "kpis.threshold.values" }, { title: threshold.title });
  return (
    <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={label}>
      <table className={`${styles["table"]} ${styles["narrow"]}`}>
        <thead>
          <tr>
            <th scope="col">
              <FormattedMessage id="kpis.integration" />
            </th>
            <th scope="col" className={styles["number"]}>
              <FormattedMessage id="kpis.threshold.recent" values={{ step }} />
            </th>
            <th scope="col" className={styles["number"]}>
              <FormattedMessage id="kpis.threshold.limit" />
            </th>
            <th scope="col">
              <FormattedMessage id="kpis.threshold.since" />
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ of, since, hasAlert }) => (
            <tr key={of.id}>
              <th scope="row">
                <Link to="/integrations/$key" params={{ key: of.key }}>
                  {of.name}
                </Link>
              </th>
              <td className={styles["number"]}>{figureText(measured.get(of.key), unit, intl)}</td>
              <td className={styles["number"]}>{figureText(limit, unit, intl)}</td>
              <td>
                {since === null ? (
                  <span className="quiet">
                    <FormattedMessage id="kpis.threshold.holds" />
                  </span>
                ) : (
                  <>
                    {times.instant(since)}
                    {hasAlert ? null : (
                      <span className="quiet">
                        {" "}
                        <FormattedMessage id="kpis.threshold.no-alert" />
                      </span>
                    )}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
