import { useMemo, useState } from "react";
import { Button, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Anomalies } from "./anomalies.js";
import { Chart } from "./chart.js";
import { isDistribution } from "./kpi-names.js";
import { type Kpi, KpiSeriesDocument, type KpiSeriesQuery } from "./kpis.generated.js";
import type { Question } from "./kpis-page.js";
import { Ranking } from "./ranking.js";
import { bandColumns, type LineName, seriesColumns } from "./series-data.js";
import { stepOf } from "./period.js";
import { changeText, figureText } from "./units.js";
import { useThresholds } from "./use-thresholds.js";
import styles from "./kpis.module.css";

type Answer = KpiSeriesQuery["kpi"];
interface Shaded {
  readonly key: string;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** Rows of the table; older ones are in the CSV and the API. */
const SHOWN_ROWS = 200;
/** A threshold so many times beyond all that was measured would press the lines onto the axis: it is named and not drawn. */
const FAR = 3;

/** One figure over time with maintenance shaded, the same as a table, and who is worst. */
export function Series(props: { readonly question: Question; readonly kpi: Kpi; readonly maintenance: readonly Shaded[] }) {
  const { question, kpi, maintenance } = props;
  const { scope, from, to } = question.variables;
  const step = stepOf(question.period);
  const { data, refusal, again } = useLiveQuery(KpiSeriesDocument, { kpi, scope, from, to, step });
  const answer = data?.kpi;
  return (
    <section>
      <h2>
        <FormattedMessage id={`kpis.kpi.${kpi}`} />
      </h2>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {answer === undefined ? (
        refusal === null ? (
          <Loading />
        ) : null
      ) : answer.points.length === 0 ? (
        <Empty>
          <FormattedMessage id="kpis.series.none" values={{ integrations: answer.integrations }} />
        </Empty>
      ) : (
        <>
          <Summary answer={answer} />
          <Drawn question={question} kpi={kpi} answer={answer} maintenance={maintenance} />
          <Anomalies answer={answer} zone={question.zone} />
          <SeriesTable question={question} kpi={kpi} answer={answer} />
        </>
      )}
      {answer === undefined ? null : <Ranking kpi={kpi} answer={answer} />}
    </section>
  );
}

function Summary({ answer }: { readonly answer: Answer }) {
  const intl = useIntl();
  const { current, previous, unit } = answer;
  const change = changeText(current.value, previous.value, { unit, intl });
  const { share } = current;
  return (
    <p>
      <FormattedMessage
        id="kpis.series.sentence"
        values={{
          value: figureText(current.value, unit, intl),
          before: previous.value === null ? "none" : figureText(previous.value, unit, intl),
          change: change ?? "none",
          samples: current.samples,
        }}
      />
      {share !== null && share.isUncertain ? (
        <>
          {" "}
          <FormattedMessage
            id="kpis.uncertain"
            values={{ low: figureText(share.low, unit, intl), high: figureText(share.high, unit, intl) }}
          />
        </>
      ) : null}
      {current.marked > 0 ? (
        <>
          {" "}
          <FormattedMessage id="kpis.marked" values={{ count: current.marked }} />
        </>
      ) : null}
    </p>
  );
}

function linesOf(kpi: Kpi): readonly LineName[] {
  return isDistribution(kpi) ? ["p95", "p50", "p99"] : ["value"];
}

function Drawn(props: {
  readonly question: Question;
  readonly kpi: Kpi;
  readonly answer: Answer;
  readonly maintenance: readonly Shaded[];
}) {
  const { question, kpi, answer, maintenance } = props;
  const intl = useIntl();
  const { period, zone } = question;
  const lines = linesOf(kpi);
  const columns = useMemo(
    () => seriesColumns(answer.points, { period, step: stepOf(period), lines: linesOf(kpi) }),
    [answer.points, period, kpi],
  );
  const { baseline } = answer;
  const band = useMemo(
    () => bandColumns(baseline?.bands ?? [], { at: columns.at, step: stepOf(period) }),
    [baseline?.bands, columns, period],
  );
  // A threshold judges each integration by itself: beside many of them together it would say nothing.
  const thresholds = useThresholds(question).shown.filter((one) => one.kpi === kpi && question.scope?.kind === "integration");
  const highest = Math.max(...columns.lines.flat().map((value) => value ?? 0));
  const isFar = (value: number) => value > highest * FAR;
  const limits = thresholds.map(({ value }) => value).filter((value) => !isFar(value));
  const marks = (baseline?.anomalies ?? []).map(({ at }) => Date.parse(at) / 1_000);
  const shades = maintenance.map(({ startsAt, endsAt }) => ({ from: Date.parse(startsAt), to: Date.parse(endsAt) }));
  const names = lines.map((line) => intl.formatMessage({ id: `kpis.line.${line}` }));
  const label = intl.formatMessage(
    { id: "kpis.series.label" },
    { kpi: intl.formatMessage({ id: `kpis.kpi.${kpi}` }), count: answer.points.length, windows: shades.length, zone },
  );
  return (
    <figure className={styles["series"]}>
      <Chart
        label={label}
        columns={columns}
        names={names}
        shades={shades}
        band={band}
        marks={marks}
        limits={limits}
        unit={answer.unit}
        zone={zone}
      />
      <figcaption className={styles["key"]}>
        {lines.map((line, index) => (
          <span key={line} className={styles["key-line"]}>
            <span className={`${styles["stroke"]} ${styles[`stroke-${index}`]}`} aria-hidden="true" /> {names[index]}
          </span>
        ))}
        {shades.length === 0 ? null : (
          <span className={styles["key-line"]}>
            <span className={styles["shade"]} aria-hidden="true" />{" "}
            <FormattedMessage id="kpis.series.shaded" values={{ count: shades.length }} />
          </span>
        )}
        {band === null ? null : (
          <span className={styles["key-line"]}>
            <span className={styles["band"]} aria-hidden="true" /> <FormattedMessage id="kpis.band" />
          </span>
        )}
        {thresholds.map(({ key, title, value }) => (
          <span key={key} className={styles["key-line"]}>
            <span className={`${styles["stroke"]} ${styles["stroke-limit"]}`} aria-hidden="true" />{" "}
            <FormattedMessage
              id="kpis.series.limit"
              values={{ title, value: figureText(value, answer.unit, intl), far: isFar(value) ? "yes" : "no" }}
            />
          </span>
        ))}
        {marks.length === 0 ? null : (
          <span className={styles["key-line"]}>
            <span className="glyph-failing" aria-hidden="true">
              ▲
            </span>{" "}
            <FormattedMessage id="kpis.anomalies.count" values={{ count: marks.length }} />
          </span>
        )}
        <span>{zone}</span>
      </figcaption>
    </figure>
  );
}

function SeriesTable({ question, kpi, answer }: { readonly question: Question; readonly kpi: Kpi; readonly answer: Answer }) {
  const intl = useIntl();
  const times = useTimes();
  const [isOpen, setOpen] = useState(false);
  const lines = linesOf(kpi);
  const rows = answer.points.slice(-SHOWN_ROWS).toReversed();
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={3} className={styles["disclosure"]}>
        <Button slot="trigger" className="button button-quiet">
          <FormattedMessage id={isOpen ? "kpis.table.hide" : "kpis.table.show"} />
        </Button>
      </Heading>
      <DisclosurePanel>
        {isOpen ? (
          <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={intl.formatMessage({ id: "kpis.table" })}>
            <table className={styles["table"]}>
              <thead>
                <tr>
                  <th scope="col">
                    <FormattedMessage id="kpis.table.at" values={{ zone: question.zone }} />
                  </th>
                  {lines.map((line) => (
                    <th key={line} scope="col" className={styles["number"]}>
                      <FormattedMessage id={`kpis.line.${line}`} />
                    </th>
                  ))}
                  <th scope="col" className={styles["number"]}>
                    <FormattedMessage id="kpis.samples" />
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map(({ at, figures }) => (
                  <tr key={at}>
                    <th scope="row">
                      {times.day(at, question.zone)} {times.clock(at, question.zone)}
                    </th>
                    {lines.map((line) => (
                      <td key={line} className={styles["number"]}>
                        {figureText(figures[line], answer.unit, intl)}
                      </td>
                    ))}
                    <td className={styles["number"]}>{intl.formatNumber(figures.samples)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {answer.points.length > SHOWN_ROWS ? (
              <p className="quiet">
                <FormattedMessage id="kpis.table.only" values={{ shown: SHOWN_ROWS, count: answer.points.length }} />
              </p>
            ) : null}
          </div>
        ) : null}
      </DisclosurePanel>
    </Disclosure>
  );
}
