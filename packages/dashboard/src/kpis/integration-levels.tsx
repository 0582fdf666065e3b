import { FormattedMessage, useIntl } from "react-intl";
import { Link } from "@tanstack/react-router";
import type { ServiceLevelsQuery } from "./kpis.generated.js";
import { availabilityText, figureText, wholeLength } from "./units.js";
import styles from "./kpis.module.css";

/** The worst are shown; the CSV has all. */
const SHOWN = 100;

/** Service levels of each integration, the worst net one first; those of which nothing is known stand last. */
export function IntegrationLevels({ report }: { readonly report: ServiceLevelsQuery["slaReport"] }) {
  const intl = useIntl();
  const lines = report.integrations.toSorted((a, b) => (a.net.availability ?? 2) - (b.net.availability ?? 2));
  if (lines.length === 0) return null;
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.integrations" />
      </h2>
      <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={intl.formatMessage({ id: "kpis.integrations" })}>
        <table className={styles["table"]}>
          <thead>
            <tr>
              <th scope="col">
                <FormattedMessage id="kpis.integration" />
              </th>
              {(["net", "gross", "known", "down", "response"] as const).map((column) => (
                <th key={column} scope="col" className={styles["number"]}>
                  <FormattedMessage id={`kpis.column.${column}`} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.slice(0, SHOWN).map(({ integration, net, gross, responseTime }) => (
              <tr key={integration.id}>
                <th scope="row">
                  <Link to="/integrations/$key" params={{ key: integration.key }}>
                    {integration.name}
                  </Link>
                </th>
                <td className={styles["number"]}>{availabilityText(net.availability, intl)}</td>
                <td className={styles["number"]}>{availabilityText(gross.availability, intl)}</td>
                <td className={styles["number"]}>{availabilityText(net.coverage, intl)}</td>
                <td className={styles["number"]}>{wholeLength(gross.downMs)}</td>
                <td className={styles["number"]}>{figureText(responseTime.p95, "ms", intl)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {lines.length > SHOWN ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: lines.length - SHOWN }} />
        </p>
      ) : null}
    </section>
  );
}
