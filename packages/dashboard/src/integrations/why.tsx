import { Link } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { ErrorState } from "../components/states.js";
import { StatusGlyph } from "../components/status.js";
import { coveragePathText } from "../windows/coverage-path.js";
import { holdsOf, jobSentence, type ShownHold, type ShownIntegration, type ShownJob, untilText } from "./explain-sentence.js";
import { ExplainJobDocument } from "./integration.generated.js";
import styles from "./integration.module.css";

/** More jobs than these are told as a number. */
const MAX_JOBS = 12;

/** Each hold with its reason, what every job does, and what would let it run. */
export function Why({ integration }: { readonly integration: ShownIntegration }) {
  const holds = holdsOf(integration);
  const { jobs } = integration;
  return (
    <section className={styles["why"]} aria-labelledby="why-title">
      <h2 id="why-title" className="hidden">
        <FormattedMessage id="integrations.why" />
      </h2>
      {holds.length === 0 ? null : (
        <ul className={styles["lines"]}>
          {holds.map((hold) => (
            <Hold key={hold.holdId} hold={hold} />
          ))}
        </ul>
      )}
      <ul className={styles["lines"]}>
        {jobs.slice(0, MAX_JOBS).map((job) => (
          <Job key={job.id} job={job} integrationKey={integration.key} hold={holds[0]} />
        ))}
      </ul>
      {jobs.length > MAX_JOBS ? (
        <p className="quiet">
          <FormattedMessage id="integrations.jobs.more" values={{ count: jobs.length - MAX_JOBS }} />
        </p>
      ) : null}
    </section>
  );
}

function Hold({ hold }: { readonly hold: ShownHold }) {
  const times = useTimes();
  const intl = useIntl();
  const { formatMessage } = intl;
  const { kind, title, windowKey, owner, reason, path, since, isPastItsEnd } = hold;
  const name = kind === "WINDOW" ? title : formatMessage({ id: `integrations.hold.${kind}` });
  const ended = kind === "WINDOW" && isPastItsEnd;
  return (
    <li>
      <StatusGlyph tone={ended ? "failing" : "held"} />{" "}
      {windowKey === null ? (
        <strong>{name}</strong>
      ) : (
        <Link to="/windows/$key" params={{ key: windowKey }}>
          {name}
        </Link>
      )}{" "}
      <FormattedMessage
        id="integrations.hold"
        values={{
          owner,
          reason: reason.replace(/[.\s]+$/, ""),
          since: times.instant(since, hold.timeZone ?? undefined),
          until: untilText(hold, times),
          path: coveragePathText(path, intl),
        }}
      />
      {/* In the window's zone above; what that is here. */}
      {hold.timeZone === null || hold.timeZone === times.ownZone || hold.until === null ? null : (
        <span className="quiet">
          {" "}
          {times.instant(since)}–{times.instant(hold.until)} {times.ownZone}
        </span>
      )}
      <span className={styles["way-out"]}>
        <FormattedMessage id={ended ? "integrations.way-out.ended" : `integrations.way-out.${kind}`} />
      </span>
    </li>
  );
}

function Job({
  job,
  integrationKey,
  hold,
}: {
  readonly job: ShownJob;
  readonly integrationKey: string;
  readonly hold: ShownHold | undefined;
}) {
  const intl = useIntl();
  const times = useTimes();
  const { data, refusal, again } = useLiveQuery(
    ExplainJobDocument,
    { job: job.key },
    { kinds: ["run.*", "hold.*", "window.*", "catalogue.applied"] },
  );
  if (data === undefined) return refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />;
  const { explain } = data;
  return (
    <li>
      <code>{job.key}</code>
      {job.name === job.key || job.name === integrationKey ? null : <span className="quiet"> {job.name}</span>}{" "}
      {jobSentence(job, explain, { hold, intl, times })}
    </li>
  );
}
