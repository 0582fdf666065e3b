import { useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import { ServerText } from "../components/server-text.js";
import { Status } from "../components/status.js";
import type { ListedEndpointFragment } from "./endpoints.generated.js";
import styles from "./administration.module.css";

/** What runs meet at an endpoint: its breaker, and whether the system wants fewer requests. */
export function TrafficStatus({ traffic }: { readonly traffic: ListedEndpointFragment["traffic"] }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { breaker, failures, delayedUntil, reason, openedAt, probeAt } = traffic;
  if (breaker === "OPEN")
    return (
      <span className={styles["part"]}>
        <Status tone="failing">
          {formatMessage(
            { id: "administration.breaker.OPEN" },
            { since: openedAt === null ? "none" : times.instant(openedAt), probe: probeAt === null ? "none" : times.instant(probeAt) },
          )}
        </Status>
        {reason === null ? null : (
          <span className="quiet" lang="en">
            {reason}
          </span>
        )}
      </span>
    );
  if (delayedUntil !== null && Date.parse(delayedUntil) > Date.now())
    return <Status tone="held">{formatMessage({ id: "administration.delayed" }, { until: times.instant(delayedUntil) })}</Status>;
  return <Status tone="quiesced">{formatMessage({ id: "administration.breaker.CLOSED" }, { failures })}</Status>;
}

/** What checks found about the way to the system, the gravest first. What is only told (INFO) is left to the list of dates. */
export function Findings({ findings }: { readonly findings: ListedEndpointFragment["findings"] }) {
  const { formatMessage, formatDate } = useIntl();
  const ranks = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"];
  const shown = findings.toSorted((a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity));
  if (shown.length === 0) return <span className="quiet">{formatMessage({ id: "administration.findings.none" })}</span>;
  return (
    <ul className={styles["lines"]}>
      {shown.map(({ kind, severity, message, origin, expiresAt }) => (
        <li key={kind + origin}>
          <Status tone={severity === "CRITICAL" || severity === "HIGH" ? "failing" : severity === "INFO" ? "quiet" : "held"}>
            {formatMessage({ id: `administration.severity.${severity}` })}
          </Status>{" "}
          <ServerText
            id={`server.finding.${kind}`}
            values={{
              severity,
              over: expiresAt !== null && Date.parse(expiresAt) <= Date.now() ? "yes" : "no",
              day: expiresAt === null ? "" : formatDate(expiresAt, { dateStyle: "long" }),
            }}
            message={message}
          />
        </li>
      ))}
    </ul>
  );
}

/** How old its secrets are, when they end, and whether they are being renewed. */
export function CredentialText({
  endpoint: { credential, secrets },
}: {
  readonly endpoint: Pick<ListedEndpointFragment, "credential" | "secrets">;
}) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  // Secrets of a renewal stand in the place of the workspace's.
  if (credential === null || (secrets.length === 0 && credential.version === 0))
    return <span className="quiet">{formatMessage({ id: "administration.credential.none" })}</span>;
  const { expiresAt, since, rotating } = credential;
  return (
    <span className={styles["part"]}>
      <span>
        {expiresAt === null
          ? formatMessage({ id: "administration.credential.since" }, { since: times.day(since) })
          : formatMessage({ id: "administration.credential.until" }, { until: times.full(expiresAt) })}
      </span>
      {rotating ? <Status tone="resuming">{formatMessage({ id: "administration.credential.rotating" })}</Status> : null}
    </span>
  );
}
