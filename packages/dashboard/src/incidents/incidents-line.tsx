import { Link } from "@tanstack/react-router";
import { FormattedMessage } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { StatusGlyph } from "../components/status.js";
import { IncidentNumbersDocument } from "./incidents.generated.js";
import styles from "./incidents-line.module.css";

/** How many incidents somebody has to care about; nothing where there is none. */
export function IncidentsLine() {
  const { data } = useLiveQuery(IncidentNumbersDocument, {}, { kinds: ["incident.*"] });
  if (data === undefined || data.live.totalCount === 0) return null;
  const values = { live: data.live.totalCount, critical: data.critical.totalCount, untaken: data.untaken.totalCount };
  return (
    <p className={styles["line"]}>
      <StatusGlyph tone="failing" />{" "}
      <Link to="/incidents">
        <FormattedMessage id="incidents.sentence" values={values} />
      </Link>
    </p>
  );
}
