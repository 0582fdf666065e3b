import { FormattedMessage, useIntl } from "react-intl";
import { Link } from "@tanstack/react-router";
import { useTimes } from "../app/times.js";
import type { ServiceLevelsQuery } from "./kpis.generated.js";
import { maintenanceOnce } from "./series-data.js";
import { wholeLength } from "./units.js";
import styles from "./kpis.module.css";

const SHOWN = 100;

/** Windows of the period, and whether each is left out of the net figure, with the reason. */
export function Maintenance({ report, zone }: { readonly report: ServiceLevelsQuery["slaReport"]; readonly zone: string }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const windows = maintenanceOnce(report.integrations);
  const of = (key: string) => report.integrations.filter(({ maintenance }) => maintenance.some((one) => one.key === key)).length;
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.maintenance" />
      </h2>
      {windows.length === 0 ? (
        <p className="quiet">
          <FormattedMessage id="kpis.maintenance.none" />
        </p>
      ) : (
        <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={formatMessage({ id: "kpis.maintenance" })}>
          <table className={styles["table"]}>
            <thead>
              <tr>
                {(["window", "from", "to", "why"] as const).map((column) => (
                  <th key={column} scope="col">
                    <FormattedMessage id={`kpis.maintenance.${column}`} />
                  </th>
                ))}
                {(["counted", "covers"] as const).map((column) => (
                  <th key={column} scope="col" className={styles["number"]}>
                    <FormattedMessage id={`kpis.maintenance.${column}`} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {windows.slice(-SHOWN).map(({ key, title, startsAt, endsAt, reason, countedMs }) => (
                <tr key={key}>
                  <th scope="row">
                    <WindowLink maintenanceKey={key} title={title} />
                  </th>
                  <td>{`${times.day(startsAt, zone)} ${times.clock(startsAt, zone)}`}</td>
                  <td>{`${times.day(endsAt, zone)} ${times.clock(endsAt, zone)}`}</td>
                  <td>
                    <FormattedMessage id={`kpis.reason.${reason}`} />
                  </td>
                  <td className={styles["number"]}>{wholeLength(countedMs)}</td>
                  <td className={styles["number"]}>{of(key)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** The window's key, which its page is found by, stands before the local start of the occurrence: erp-night 2026-11-17T02:00. */
function WindowLink({ maintenanceKey, title }: { readonly maintenanceKey: string; readonly title: string }) {
  const key = /^(.+) \d{4}-\d{2}-\d{2}T/.exec(maintenanceKey)?.[1];
  if (key === undefined) return title;
  return (
    <Link to="/windows/$key" params={{ key }}>
      {title} <span className={styles["local-start"]}>{maintenanceKey.slice(key.length + 1).replace("T", " ")}</span>
    </Link>
  );
}
