import { FormattedMessage } from "react-intl";
import { useConnectionStatus } from "./live.js";
import { useTimes } from "./times.js";
import styles from "./connection-banner.module.css";

/** Says that what is shown is of an earlier moment. */
export function ConnectionBanner() {
  const status = useConnectionStatus();
  const times = useTimes();
  const isLost = status.kind === "lost";
  return (
    <div role="status" className={isLost ? styles["banner"] : undefined}>
      {isLost ? <FormattedMessage id="app.lost" values={{ at: times.clockWithSeconds(status.since) }} /> : null}
    </div>
  );
}
