import { FormattedMessage, useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import { StatusGlyph } from "../components/status.js";
import { OccurrenceStatus } from "./state.js";
import type { LiveOccurrence } from "./window-sentence.js";
import styles from "./windows.module.css";

const steps = ["scheduled", "drain", "quiet", "resume", "over"] as const;
const stepOf: { readonly [state in LiveOccurrence["state"]]: number } = {
  SCHEDULED: 0,
  UNAPPROVED: 0,
  CANCELLED: 0,
  OBSERVING: 1,
  DRAINING: 1,
  QUIESCED: 2,
  VERIFYING: 2,
  OVERRUN: 2,
  RESUMING: 3,
  CLOSED: 4,
};

/** How far an occurrence is: what it waits for, what it holds, what it has let go. */
export function Progress({ occurrence }: { readonly occurrence: LiveOccurrence }) {
  const times = useTimes();
  const { startsAt, endsAt, timeZone: zone, drainDeadlineAt, state, heldRuns } = occurrence;
  return (
    <section aria-labelledby="progress-title">
      <h2 id="progress-title">
        <FormattedMessage id="windows.progress" />
      </h2>
      <ol className={styles["steps"]}>
        {steps.map((step, index) => (
          <li
            key={step}
            className={[styles["step"], index < stepOf[state] && styles["step-past"], index === stepOf[state] && styles["step-now"]]
              .filter(Boolean)
              .join(" ")}
            aria-current={index === stepOf[state] ? "step" : undefined}
          >
            <FormattedMessage id={`windows.step.${step}`} />
          </li>
        ))}
      </ol>
      <div className={styles["progress"]}>
        <p>
          <OccurrenceStatus state={state} />{" "}
          <FormattedMessage
            id="windows.progress.times"
            values={{ start: times.instant(startsAt, zone), end: times.end(startsAt, endsAt, zone), zone }}
          />
          {zone === times.ownZone ? null : (
            <span className="quiet">
              {" "}
              ({times.instant(startsAt)}–{times.end(startsAt, endsAt)} {times.ownZone})
            </span>
          )}
        </p>
        <p>
          <FormattedMessage id="windows.progress.held" values={{ count: heldRuns }} />
        </p>
        {state === "DRAINING" && drainDeadlineAt !== null ? (
          <p>
            <FormattedMessage id="windows.progress.deadline" values={{ at: times.clock(drainDeadlineAt, zone) }} />
          </p>
        ) : null}
        <InFlight occurrence={occurrence} />
        <ResumeProgress occurrence={occurrence} />
      </div>
    </section>
  );
}

function InFlight({ occurrence }: { readonly occurrence: LiveOccurrence }) {
  const times = useTimes();
  const { runsInFlight, timeZone: zone, state } = occurrence;
  if (state === "SCHEDULED" || state === "UNAPPROVED" || state === "CLOSED") return null;
  if (runsInFlight.length === 0)
    return (
      <p>
        <StatusGlyph tone="quiesced" /> <FormattedMessage id="windows.progress.flight.none" />
      </p>
    );
  return (
    <>
      <h3>
        <FormattedMessage id="windows.progress.flight" />
      </h3>
      <ul className={styles["notices"]}>
        {runsInFlight.map(({ run, integration, job, since, expectedEndAt }) => (
          <li key={run.id}>
            {integration.name} {job === null ? null : <code>{job}</code>}{" "}
            <span className="quiet">
              <FormattedMessage
                id="windows.progress.flight.run"
                values={{ since: times.clock(since, zone), until: expectedEndAt === null ? "none" : times.clock(expectedEndAt, zone) }}
              />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function ResumeProgress({ occurrence: { resume, timeZone: zone } }: { readonly occurrence: LiveOccurrence }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  if (resume === null) return null;
  const { released, total, checks, canaries } = resume;
  return (
    <>
      {total === 0 ? null : <progress value={released} max={total} aria-label={formatMessage({ id: "windows.progress.released" })} />}
      <ul className={styles["notices"]}>
        {checks.map(({ ok, error, endpoint, nextAt }) => (
          <li key={endpoint.id}>
            <StatusGlyph tone={ok ? "quiesced" : "failing"} />{" "}
            {ok ? (
              <FormattedMessage id="windows.progress.check.ok" values={{ system: endpoint.system.name }} />
            ) : (
              <FormattedMessage
                id="windows.progress.check.bad"
                values={{ system: endpoint.system.name, error: error ?? "none", at: times.clock(nextAt, zone) }}
              />
            )}
          </li>
        ))}
        {canaries.map(({ system, succeeded, pending, failed }) => (
          <li key={system.id}>
            <FormattedMessage id="windows.progress.canaries" values={{ system: system.name, succeeded, pending, failed }} />
          </li>
        ))}
      </ul>
    </>
  );
}
