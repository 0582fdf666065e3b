import { Link } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { actorText } from "../app/actor-text.js";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { ErrorState, Loading } from "../components/states.js";
import { Status, type StatusTone } from "../components/status.js";
import { exactText, messageOf } from "./explain-sentence.js";
import { JsonText } from "./json-text.js";
import { RunDetailDocument, type RunDetailQuery } from "./runs.generated.js";
import { lengthOf } from "./timeline.js";
import styles from "./integration.module.css";

type Run = NonNullable<RunDetailQuery["run"]>;

export const toneOfRun: { readonly [state in Run["state"]]: StatusTone } = {
  SUCCEEDED: "quiet",
  RUNNING: "running",
  FAILED: "failing",
  DEAD: "failing",
  LOST: "failing",
  HELD: "held",
  QUEUED: "resuming",
  COALESCED: "quiet",
  SKIPPED: "quiet",
  CANCELLED: "quiet",
};

/** One run, all that is known of it. */
export function RunPanel({ runKey, onClose }: { readonly runKey: string; readonly onClose: () => void }) {
  const { data, refusal, again } = useLiveQuery(RunDetailDocument, { key: runKey }, { kinds: ["run.*"] });
  return (
    <aside className={styles["run-panel"]} aria-labelledby="run-title">
      <div className={styles["panel-head"]}>
        <h3 id="run-title">
          <FormattedMessage id="integrations.run" />
        </h3>
        <Button isQuiet onPress={onClose}>
          <FormattedMessage id="integrations.run.close" />
        </Button>
      </div>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {data === undefined ? refusal === null && <Loading /> : data.run === null ? <Gone /> : <Facts run={data.run} />}
    </aside>
  );
}

function Gone() {
  return (
    <p className="quiet">
      <FormattedMessage id="integrations.run.unknown" />
    </p>
  );
}

function Facts({ run }: { readonly run: Run }) {
  const times = useTimes();
  const intl = useIntl();
  const { formatMessage } = intl;
  const {
    state,
    job,
    dueAt,
    dueCount,
    startedAt,
    finishedAt,
    durationMs,
    attempt,
    trigger,
    requestedBy,
    reason,
    coalescedInto,
    connectors,
  } = run;
  const at = (instant: string | null) => (instant === null ? null : exactText(instant, times));
  const facts = [
    ["job", job?.key ?? null],
    ["due", at(dueAt)],
    ["dues", dueCount > 1 ? String(dueCount) : null],
    ["started", at(startedAt)],
    ["finished", at(finishedAt)],
    ["length", durationMs === null ? null : lengthOf(durationMs, times)],
    ["attempt", attempt > 1 ? String(attempt) : null],
    ["trigger", formatMessage({ id: `integrations.trigger.${trigger}` })],
    ["by", requestedBy === null ? null : actorText(requestedBy, intl)],
    ["reason", reason],
  ] as const;
  const message = messageOf(run.error);
  return (
    <>
      <p>
        <Status tone={toneOfRun[state]}>
          <FormattedMessage id={`integrations.run.${state}`} />
        </Status>
      </p>
      {message === null ? null : (
        <p className={styles["refusal"]} lang="en">
          {message}
        </p>
      )}
      <dl className={styles["facts"]}>
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{formatMessage({ id: `integrations.run.fact.${name}` })}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {run.heldBy.map(({ id, title, owner }) => (
        <p key={id}>
          <FormattedMessage id="integrations.run.held-by" values={{ title, owner }} />
        </p>
      ))}
      {coalescedInto === null ? null : (
        <p>
          <Link from="/integrations/$key" to="." search={(before) => ({ ...before, run: coalescedInto.key })} replace>
            <FormattedMessage id="integrations.run.into" values={{ at: times.instant(coalescedInto.dueAt) }} />
          </Link>
        </p>
      )}
      <Figures figures={run.figures} />
      {connectors.length === 0 ? null : (
        <p className="quiet">{connectors.map(({ name, version, endpoint }) => `${endpoint}: ${name} ${version}`).join(", ")}</p>
      )}
    </>
  );
}

const counted = ["read", "written", "unchanged", "deleted", "dead"] as const;

/** What a copying run counted, in words; whatever else a run has as it is. */
function Figures({ figures }: { readonly figures: unknown }) {
  const { formatMessage } = useIntl();
  if (typeof figures !== "object" || figures === null) return null;
  const known = new Map<string, unknown>(Object.entries(figures));
  const numbers = counted.map((name) => known.get(name));
  const isCopy = numbers.every((value) => typeof value === "number") && known.size === counted.length;
  if (!isCopy) return <JsonText label={formatMessage({ id: "integrations.run.figures" })} value={figures} />;
  const [read = 0, written = 0, unchanged = 0, deleted = 0, dead = 0] = numbers.map(Number);
  return (
    <p>
      <FormattedMessage id="integrations.run.counts" values={{ read, written, unchanged, deleted, dead }} />
    </p>
  );
}
