import { FormattedMessage, useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import type { KpiSeriesQuery } from "./kpis.generated.js";
import { figureText } from "./units.js";
import styles from "./kpis.module.css";

type Answer = KpiSeriesQuery["kpi"];
type Anomaly = NonNullable<Answer["baseline"]>["anomalies"][number];

/** The newest are told; the API has all. */
const SHOWN = 20;

/** What was unlike the normal week, each with its view, its value and what is usual there. Of maintenance nothing is said, nor learned. */
export function Anomalies({ answer, zone }: { readonly answer: Answer; readonly zone: string }) {
  const anomalies = answer.baseline?.anomalies ?? [];
  if (anomalies.length === 0) return null;
  return (
    <>
      <h3>
        <FormattedMessage id="kpis.anomalies" values={{ count: anomalies.length }} />
      </h3>
      <ul className={styles["plain"]}>
        {anomalies
          .slice(-SHOWN)
          .toReversed()
          .map((anomaly) => (
            <li key={anomaly.id}>
              <Line anomaly={anomaly} unit={answer.unit} zone={zone} />
            </li>
          ))}
      </ul>
      {anomalies.length > SHOWN ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: anomalies.length - SHOWN }} />
        </p>
      ) : null}
    </>
  );
}

function Line({ anomaly, unit, zone }: { readonly anomaly: Anomaly; readonly unit: string; readonly zone: string }) {
  const intl = useIntl();
  const times = useTimes();
  const { at, view, seen, low, high, expected, isNewExtreme } = anomaly;
  // What is left of the week is told as the value that it belongs to: nobody thinks in differences.
  const shift = view === "RESIDUAL" ? expected : 0;
  const text = (value: number) => figureText(value + shift, unit, intl);
  return (
    <>
      <time dateTime={at} className="quiet">
        {times.day(at, zone)} {times.clock(at, zone)}
      </time>
      {" · "}
      <FormattedMessage
        id={`kpis.anomaly.${view}`}
        values={{
          seen: text(seen),
          low: text(low),
          high: text(high),
          side: seen > high ? "above" : "below",
          extreme: isNewExtreme ? "yes" : "no",
        }}
      />
    </>
  );
}
