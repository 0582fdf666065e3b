import { useIntl } from "react-intl";
import { Status, StatusGlyph, type StatusTone } from "../components/status.js";
import type { AlertSeverity } from "./alerts.generated.js";
import type { IncidentState } from "./incidents.generated.js";
import styles from "./incidents.module.css";

const tones: { readonly [state in IncidentState]: StatusTone } = {
  OPEN: "failing",
  ACKNOWLEDGED: "resuming",
  IN_PROGRESS: "resuming",
  ON_HOLD: "held",
  RESOLVED: "quiesced",
  CLOSED: "quiet",
  MERGED: "quiet",
};

/** The state of an incident by glyph, word and colour. */
export function IncidentStatus({ state }: { readonly state: IncidentState }) {
  const { formatMessage } = useIntl();
  return <Status tone={tones[state]}>{formatMessage({ id: `incidents.state.${state}` })}</Status>;
}

/** How bad something is: a word, and for the worst the colour of what fails. */
export function Severity({ severity }: { readonly severity: AlertSeverity }) {
  const { formatMessage } = useIntl();
  const isWorst = severity === "CRITICAL";
  return (
    <span className={isWorst ? styles["critical"] : styles["severity"]}>
      {isWorst ? <StatusGlyph tone="failing" /> : null} {formatMessage({ id: `incidents.severity.${severity}` })}
    </span>
  );
}
