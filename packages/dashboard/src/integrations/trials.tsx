import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { actorText } from "../app/actor-text.js";
import { useCommand, useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { ConfirmedButton } from "../components/confirmed-button.js";
import { ServerText } from "../components/server-text.js";
import { ErrorState } from "../components/states.js";
import { Status, type StatusTone } from "../components/status.js";
import type { ShownIntegration } from "./explain-sentence.js";
import { shortJson } from "./json-text.js";
import { Pick } from "./pick.js";
import { CancelTrialDocument, IntegrationTrialsDocument, type IntegrationTrialsQuery, StartTrialDocument } from "./versions.generated.js";
import styles from "./integration.module.css";

type Trial = NonNullable<IntegrationTrialsQuery["integration"]>["trials"]["nodes"][number];

const kinds = ["DRY_RUN", "SHADOW", "CANARY"] as const;
const SHOWN_DIFFERENCES = 10;
const tones: { readonly [state in Trial["state"]]: StatusTone } = {
  RUNNING: "running",
  PROMOTING: "resuming",
  DONE: "quiet",
  PROMOTED: "quiet",
  FAILED: "failing",
  ROLLED_BACK: "failing",
  CANCELLED: "quiet",
  SUPERSEDED: "quiet",
};

/** Tries a version before it is in force: on a sample, beside real runs without writing, or on a share of the records. */
export function StartTrial({
  integration: { key },
  version,
  onDone,
}: {
  readonly integration: ShownIntegration;
  readonly version: number;
  readonly onDone: (words: string) => void;
}) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(StartTrialDocument);
  const [chosen, setChosen] = useState("");
  const kind = kinds.find((one) => one === chosen) ?? "DRY_RUN";
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "integrations.trial.start" })}
      title={formatMessage({ id: "integrations.trial.title" }, { number: version })}
      words={formatMessage({ id: `integrations.trial.${kind}.words` })}
      onConfirm={async (reason) => {
        const done = await run({ input: { integration: key, kind, version, reason } });
        if (done !== null) onDone(formatMessage({ id: "integrations.trial.started" }));
        return done !== null;
      }}
    >
      <Pick
        label={formatMessage({ id: "integrations.trial.kind" })}
        none={formatMessage({ id: "integrations.trial.DRY_RUN" })}
        value={chosen}
        options={kinds.slice(1).map((id) => ({ id, text: formatMessage({ id: `integrations.trial.${id}` }) }))}
        onChange={setChosen}
      />
    </ConfirmedButton>
  );
}

/** The last trials with what they found; nothing where there was none. */
export function Trials({ integration: { key } }: { readonly integration: ShownIntegration }) {
  const { data, refusal, again } = useLiveQuery(IntegrationTrialsDocument, { key }, { kinds: ["integration.*", "run.finished"] });
  const trials = data?.integration?.trials.nodes ?? [];
  if (refusal !== null) return <ErrorState refusal={refusal} onAgain={again} />;
  if (trials.length === 0) return null;
  return (
    <>
      <h3>
        <FormattedMessage id="integrations.trials" />
      </h3>
      <ul className={styles["letters"]}>
        {trials.map((trial) => (
          <TrialRow key={trial.key} trial={trial} onChanged={again} />
        ))}
      </ul>
    </>
  );
}

function TrialRow({ trial, onChanged }: { readonly trial: Trial; readonly onChanged: () => void }) {
  const intl = useIntl();
  const { formatMessage } = intl;
  const times = useTimes();
  const { run, ...command } = useCommand(CancelTrialDocument);
  const { key, kind, state, version, startedAt, startedBy, records, same, different, errors, differences } = trial;
  return (
    <li className={styles["letter"]}>
      <div className={styles["letter-line"]}>
        <strong>
          <FormattedMessage id={`integrations.trial.${kind}`} />
        </strong>
        <Status tone={tones[state]}>
          <FormattedMessage id={`integrations.trial.state.${state}`} />
        </Status>
        <span className="quiet">
          {version === null ? null : <FormattedMessage id="integrations.version" values={{ number: version }} />} {times.instant(startedAt)}{" "}
          · {actorText(startedBy, intl)}
        </span>
        {state === "RUNNING" ? (
          <span className={styles["letter-end"]}>
            <ConfirmedButton
              {...command}
              label={formatMessage({ id: "integrations.trial.cancel" })}
              title={formatMessage({ id: "integrations.trial.cancel" })}
              words={formatMessage({ id: "integrations.trial.cancel.words" })}
              onConfirm={async (reason) => {
                const done = await run({ input: { key, reason } });
                if (done !== null) onChanged();
                return done !== null;
              }}
            />
          </span>
        ) : null}
      </div>
      <p className={styles["letter-why"]}>
        <FormattedMessage id="integrations.trial.found" values={{ records, same, different, errors }} /> <Verdict trial={trial} />
      </p>
      {differences.length === 0 ? null : (
        <ul className={styles["lines"]}>
          {differences.slice(0, SHOWN_DIFFERENCES).map(({ recordKey, stream, fields, candidate }) => (
            <li key={`${stream} ${recordKey}`}>
              <strong>{recordKey}</strong> <FormattedMessage id={`integrations.outcome.${candidate}`} />{" "}
              {fields.map(({ path, before, after }) => `${path}: ${shortJson(before)} → ${shortJson(after)}`).join("; ")}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** Why it ended as it did. What a comparison found stands before it; why somebody ended it are that person's words. */
function Verdict({ trial: { kind, state, verdict, records, errors, failedRuns, settings } }: { readonly trial: Trial }) {
  const { formatNumber } = useIntl();
  if (verdict === null || (state === "DONE" && kind !== "CANARY")) return null;
  if (state === "CANCELLED") return <>{verdict}</>;
  const ratio = typeof settings === "object" && settings !== null && "errorRatio" in settings ? Number(settings.errorRatio) : 0;
  const limit = formatNumber(ratio, { style: "percent", maximumFractionDigits: 2 });
  const values = { records, errors, limit, failedRuns: failedRuns > 0 ? "some" : "none" };
  return <ServerText id={`server.trial.${state === "PROMOTING" ? "PROMOTED" : state}`} values={values} message={verdict} />;
}
