import { FormattedMessage, useIntl } from "react-intl";
import { useState } from "react";
import { actorText } from "../app/actor-text.js";
import { useCommand, useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { ConfirmedButton } from "../components/confirmed-button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status, type StatusTone } from "../components/status.js";
import { CompareDocument, type ComparisonFragment, ComparisonsDocument, ResyncDocument } from "./compare.generated.js";
import type { ShownIntegration } from "./explain-sentence.js";
import { shortJson } from "./json-text.js";
import styles from "./integration.module.css";

const tones: { readonly [state in ComparisonFragment["state"]]: StatusTone } = {
  WAITING: "resuming",
  RUNNING: "running",
  DONE: "quiet",
  FAILED: "failing",
};

/** What both sides hold: how much is equal, what differs, and copying exactly that once more. */
export function CompareTab({ integration }: { readonly integration: ShownIntegration }) {
  const { key } = integration;
  const { formatMessage } = useIntl();
  const [told, setTold] = useState<string | null>(null);
  const { run, ...command } = useCommand(CompareDocument);
  const { data, refusal, again } = useLiveQuery(ComparisonsDocument, { key }, { kinds: ["reconciliation.*", "run.*"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const comparisons = data.integration?.reconciliations.nodes ?? [];
  const hasTwoSides = integration.sourceEndpoint !== null && integration.targetEndpoint !== null && integration.jobs.length > 0;
  const done = (words: string) => {
    setTold(words);
    again();
  };
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <p role="status" className={styles["told"]}>
        {told}
      </p>
      {hasTwoSides ? (
        <div className={styles["actions"]}>
          <ConfirmedButton
            {...command}
            label={formatMessage({ id: "integrations.compare" })}
            title={formatMessage({ id: "integrations.compare.title" }, { name: integration.name })}
            words={formatMessage({ id: "integrations.compare.words" })}
            reason="optional"
            onConfirm={async (reason) => {
              const answer = await run({ input: { integration: key, reason: reason === "" ? null : reason } });
              if (answer !== null) done(formatMessage({ id: "integrations.compare.ordered" }));
              return answer !== null;
            }}
          />
        </div>
      ) : null}
      {comparisons.length === 0 ? (
        <Empty>
          <FormattedMessage id={hasTwoSides ? "integrations.compare.none" : "integrations.compare.one-side"} />
        </Empty>
      ) : (
        <ul className={styles["letters"]}>
          {comparisons.map((comparison, index) => (
            <Comparison key={comparison.id} comparison={comparison} isNewest={index === 0} onDone={done} />
          ))}
        </ul>
      )}
    </>
  );
}

interface Of {
  readonly comparison: ComparisonFragment;
  readonly isNewest: boolean;
  readonly onDone: (words: string) => void;
}

function Comparison({ comparison, isNewest, onDone }: Of) {
  const times = useTimes();
  const intl = useIntl();
  const { formatNumber } = intl;
  const { state, accuracy, createdAt, origin, requestedBy, streams, differences, resyncs } = comparison;
  const open = differences.filter((one) => one.state === "OPEN").reduce((sum, { count }) => sum + count, 0);
  // Never rounded up: 100 % is said of nothing else.
  const percent = accuracy === null ? null : Math.floor(accuracy * 10_000) / 100;
  return (
    <li className={styles["letter"]}>
      <div className={styles["letter-line"]}>
        <strong>
          {percent === null ? (
            <FormattedMessage id="integrations.compare.no-accuracy" />
          ) : (
            <FormattedMessage
              id="integrations.compare.accuracy"
              values={{ percent: formatNumber(percent, { maximumFractionDigits: 2 }) }}
            />
          )}
        </strong>
        <Status tone={tones[state]}>
          <FormattedMessage id={`integrations.compare.${state}`} />
        </Status>
        <span className="quiet">
          {times.instant(createdAt)} ·{" "}
          <FormattedMessage id={`integrations.compare.${origin}`} values={{ by: actorText(requestedBy, intl) }} />
        </span>
      </div>
      {streams.map((stream) => (
        <Stream key={stream.stream} stream={stream} isOpen={isNewest} />
      ))}
      {resyncs.map(({ createdAt: at, requestedBy: by, run }) => (
        <p key={at} className={styles["letter-why"]}>
          <FormattedMessage
            id="integrations.resync.done"
            values={{ by: actorText(by, intl), at: times.instant(at), state: run?.state ?? "none" }}
          />
        </p>
      ))}
      {open > 0 && state === "DONE" ? <Resync comparison={comparison} count={open} onDone={onDone} /> : null}
    </li>
  );
}

function Stream({ stream, isOpen }: { readonly stream: ComparisonFragment["streams"][number]; readonly isOpen: boolean }) {
  const { formatMessage } = useIntl();
  const { stream: name, equal, onlySource, onlyTarget, different, changing, isTruncated, samples } = stream;
  const label = formatMessage({ id: "integrations.compare.samples" }, { stream: name });
  return (
    <>
      <p>
        <code>{name}</code>{" "}
        <FormattedMessage id="integrations.compare.numbers" values={{ equal, different, onlySource, onlyTarget, changing }} />{" "}
        {isTruncated ? <FormattedMessage id="integrations.compare.truncated" /> : null}
      </p>
      {!isOpen || samples.length === 0 ? null : (
        <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={label}>
          <table className={styles["table"]}>
            <thead>
              <tr>
                {(["record", "kind", "fields", "source", "target"] as const).map((column) => (
                  <th key={column} scope="col">
                    {formatMessage({ id: `integrations.compare.column.${column}` })}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {samples.map(({ recordKey, kind, fields, source, target }) => (
                <tr key={`${kind} ${recordKey}`}>
                  <th scope="row">{recordKey}</th>
                  <td>
                    <FormattedMessage id={`integrations.difference.${kind}`} />
                  </td>
                  <td>{fields.join(", ")}</td>
                  <td className={styles["after"]}>{shortJson(source)}</td>
                  <td className={styles["before"]}>{shortJson(target)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Resync({ comparison, count, onDone }: Omit<Of, "isNewest"> & { readonly count: number }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(ResyncDocument);
  const deletions = comparison.differences
    .filter(({ kind, state }) => kind === "ONLY_TARGET" && state === "OPEN")
    .reduce((sum, one) => sum + one.count, 0);
  return (
    <div className={styles["actions"]}>
      <ConfirmedButton
        {...command}
        label={formatMessage({ id: "integrations.resync" }, { count })}
        title={formatMessage({ id: "integrations.resync.title" }, { count })}
        words={formatMessage({ id: "integrations.resync.words" }, { deletions })}
        onConfirm={async (reason) => {
          const done = await run({ input: { reconciliation: comparison.key, reason } });
          if (done !== null) onDone(formatMessage({ id: "integrations.resync.ordered" }, { count: done.resyncDifferences.differences }));
          return done !== null;
        }}
      />
    </div>
  );
}
