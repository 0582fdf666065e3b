import { type Refusal, refusalOf } from "@quiesce/client";
import { useRef, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useConnection } from "../app/connection.js";
import { Button } from "../components/button.js";
import { ServerText } from "../components/server-text.js";
import { ErrorState } from "../components/states.js";
import { Status } from "../components/status.js";
import { VerifyAuditDocument, type VerifyAuditQuery } from "./audit.generated.js";
import styles from "./administration.module.css";

type Problem = VerifyAuditQuery["auditVerification"]["problems"][number];

interface Progress {
  readonly checked: number;
  readonly sealed: number;
  readonly unsealed: number;
  readonly isOver: boolean;
  /** In order; the first is where the trail is broken. */
  readonly problems: readonly Problem[];
  readonly refusal: Refusal | null;
}

interface Place {
  readonly position: number;
  readonly hash: string;
}

interface Answer {
  readonly page: VerifyAuditQuery["auditVerification"] | null;
  /** Where the next page begins. */
  readonly place: Place | null;
  readonly refusal: Refusal | null;
}

/** What is listed; the command line lists as many. */
const MOST_PROBLEMS = 20;

/** Makes the hash of every entry anew, page by page, and says where the first is that does not fit. */
export function AuditCheck() {
  const { formatMessage } = useIntl();
  const [progress, check, stop] = useCheck();
  const isRunning = progress !== null && !progress.isOver;
  return (
    <section className={styles["notice"]} aria-labelledby="check-title">
      <h2 id="check-title">
        <FormattedMessage id="administration.verify.question" />
      </h2>
      <div role="status">{progress === null ? <FormattedMessage id="administration.verify.words" /> : <Found progress={progress} />}</div>
      {isRunning ? (
        <progress value={progress.checked} max={Math.max(1, progress.sealed)} aria-label={formatMessage({ id: "administration.verify" })} />
      ) : null}
      <div className={styles["row"]}>
        {isRunning ? (
          <Button onPress={stop}>
            <FormattedMessage id="administration.verify.stop" />
          </Button>
        ) : (
          <Button onPress={() => void check()}>
            <FormattedMessage id="administration.verify" />
          </Button>
        )}
      </div>
    </section>
  );
}

function Found({ progress }: { readonly progress: Progress }) {
  const { checked, sealed, unsealed, isOver, problems, refusal } = progress;
  const [first] = problems;
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} />}
      {first === undefined ? null : (
        <p>
          <Status tone="failing">
            <FormattedMessage
              id="administration.verify.broken"
              values={{ position: first.position, entry: first.entry ?? "none", count: problems.length }}
            />
          </Status>
        </p>
      )}
      {isOver && refusal === null && first === undefined ? (
        <p>
          <Status tone="quiesced">
            <FormattedMessage id="administration.verify.whole" values={{ checked, unsealed }} />
          </Status>
        </p>
      ) : (
        <p className="quiet">
          <FormattedMessage id="administration.verify.checked" values={{ checked, sealed }} />
        </p>
      )}
      <ol>
        {problems.map(({ position, entry, kind, field, message }) => (
          <li key={`${position} ${entry} ${kind} ${field}`}>
            <FormattedMessage id={`administration.problem.${kind}`} values={{ position }} />{" "}
            <ServerText id={`server.audit.${kind}`} values={{ entry: entry ?? "", field: field ?? "none" }} message={message} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** The state of a check, how to begin one, and how to end it before its time. */
function useCheck(): readonly [Progress | null, () => Promise<void>, () => void] {
  const { client } = useConnection();
  const [progress, setProgress] = useState<Progress | null>(null);
  const turn = useRef(0);
  const stop = () => {
    turn.current += 1;
    setProgress((before) => (before === null ? null : { ...before, isOver: true, refusal: null }));
  };
  const verify = async (after: Place | null): Promise<Answer> => {
    const { data, error } = await client.query(VerifyAuditDocument, { after }, { requestPolicy: "network-only" }).toPromise();
    const page = data?.auditVerification ?? null;
    return { page, place: page === null ? after : { position: page.place.position, hash: page.place.hash }, refusal: refusalOf(error) };
  };
  const check = async () => {
    const mine = ++turn.current;
    let found: Progress = { checked: 0, sealed: 0, unsealed: 0, isOver: false, problems: [], refusal: null };
    let after: Place | null = null;
    setProgress(found);
    while (!found.isOver) {
      const answer = await verify(after);
      if (turn.current !== mine) return;
      found = added(found, answer);
      after = answer.place;
      setProgress(found);
    }
  };
  return [progress, check, stop];
}

function added(before: Progress, { page, refusal }: Answer): Progress {
  if (page === null) return { ...before, isOver: true, refusal };
  const problems = [...before.problems, ...page.problems].slice(0, MOST_PROBLEMS);
  const { checked, sealed, unsealed, isEnd } = page;
  return { ...before, checked: before.checked + checked, sealed, unsealed, problems, isOver: isEnd || problems.length >= MOST_PROBLEMS };
}
