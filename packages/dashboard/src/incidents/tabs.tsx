import { Link } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import styles from "./incidents.module.css";

/** The three lists that belong together. */
export function Tabs() {
  const { formatMessage } = useIntl();
  const links = [
    ["/incidents", "incidents.menu"],
    ["/alerts", "incidents.alerts.menu"],
    ["/problems", "incidents.problems"],
  ] as const;
  return (
    <nav className={styles["tabs"]} aria-label={formatMessage({ id: "incidents.tabs" })}>
      {links.map(([to, id]) => (
        <Link key={to} to={to} className={styles["tab"]} activeOptions={{ exact: true, includeSearch: false }}>
          <FormattedMessage id={id} />
        </Link>
      ))}
    </nav>
  );
}
