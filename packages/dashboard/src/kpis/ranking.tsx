import { FormattedMessage, useIntl } from "react-intl";
import { Link } from "@tanstack/react-router";
import type { Kpi, KpiSeriesQuery } from "./kpis.generated.js";
import { figureText } from "./units.js";
import styles from "./kpis.module.css";

/** The integrations by this figure, the worst first. */
export function Ranking({ kpi, answer }: { readonly kpi: Kpi; readonly answer: KpiSeriesQuery["kpi"] }) {
  const intl = useIntl();
  const { ranking, unit } = answer;
  if (ranking.length < 2) return null;
  return (
    <>
      <h3>
        <FormattedMessage id="kpis.ranking" />
      </h3>
      <table className={`${styles["table"]} ${styles["narrow"]}`} aria-label={intl.formatMessage({ id: "kpis.ranking" })}>
        <thead>
          <tr>
            <th scope="col">
              <FormattedMessage id="kpis.integration" />
            </th>
            <th scope="col" className={styles["number"]}>
              <FormattedMessage id={`kpis.kpi.${kpi}`} />
            </th>
            <th scope="col" className={styles["number"]}>
              <FormattedMessage id="kpis.samples" />
            </th>
          </tr>
        </thead>
        <tbody>
          {ranking.map(({ integration, figures }) => (
            <tr key={integration.id}>
              <td>
                <Link to="/integrations/$key" params={{ key: integration.key }}>
                  {integration.name}
                </Link>
              </td>
              <td className={styles["number"]}>{figureText(figures.value, unit, intl)}</td>
              <td className={styles["number"]}>{intl.formatNumber(figures.samples)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
