import { FormattedMessage, useIntl } from "react-intl";
import type { AvailabilityFragment, ServiceLevelsQuery } from "./kpis.generated.js";
import { wholeLength } from "./units.js";
import styles from "./kpis.module.css";

/** Where a period goes, in the order in which it is drawn. */
const parts = ["up", "down", "unknown", "excluded", "outOfSchedule"] as const;
type Part = (typeof parts)[number];
const sides = ["net", "gross"] as const;

/** Up, down, unknown, excluded and out of schedule are the period, to the millisecond: drawn as a bar, and as a table. */
export function Identity({ report }: { readonly report: ServiceLevelsQuery["slaReport"] }) {
  const { formatMessage } = useIntl();
  const periodMs = report.net.periodMs;
  if (periodMs === 0) return null;
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.identity" />
      </h2>
      {sides.map((side) => (
        <div key={side} className={styles["bar-row"]} aria-hidden="true">
          <span className={styles["bar-name"]}>
            <FormattedMessage id={`kpis.${side}`} />
          </span>
          <span className={styles["bar"]}>
            {parts.map((part) => (
              <span
                key={part}
                className={`${styles["piece"]} ${styles[`piece-${part}`]}`}
                style={{ flexGrow: lengthOf(report[side], part) / periodMs }}
              />
            ))}
          </span>
        </div>
      ))}
      <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={formatMessage({ id: "kpis.identity" })}>
        <table className={styles["table"]}>
          <thead>
            <tr>
              <td />
              {parts.map((part) => (
                <th key={part} scope="col" className={styles["number"]}>
                  <span className={`${styles["swatch"]} ${styles[`piece-${part}`]}`} aria-hidden="true" />{" "}
                  <FormattedMessage id={`kpis.part.${part}`} />
                </th>
              ))}
              <th scope="col" className={styles["number"]}>
                <FormattedMessage id="kpis.part.period" />
              </th>
            </tr>
          </thead>
          <tbody>
            {sides.map((side) => (
              <tr key={side}>
                <th scope="row">
                  <FormattedMessage id={`kpis.${side}`} />
                </th>
                {parts.map((part) => (
                  <td key={part} className={styles["number"]}>
                    {wholeLength(lengthOf(report[side], part))}
                  </td>
                ))}
                <td className={styles["number"]}>{wholeLength(report[side].periodMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="quiet">
        <FormattedMessage id="kpis.identity.words" values={{ missing: wholeLength(report.net.missingMs + report.gross.missingMs) }} />
        {report.integrations.length > 1 ? (
          <>
            {" "}
            <FormattedMessage
              id="kpis.identity.together"
              values={{
                integrations: report.integrations.length,
                each: wholeLength(Date.parse(report.to) - Date.parse(report.from)),
                period: wholeLength(periodMs),
              }}
            />
          </>
        ) : null}
      </p>
    </section>
  );
}

function lengthOf(figures: AvailabilityFragment, part: Part): number {
  switch (part) {
    case "up":
      return figures.upMs;
    case "down":
      return figures.downMs;
    case "unknown":
      return figures.unknownMs;
    case "excluded":
      return figures.excludedMs;
    case "outOfSchedule":
      return figures.outOfScheduleMs;
  }
}
