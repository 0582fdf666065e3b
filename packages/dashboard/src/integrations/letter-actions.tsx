import { useIntl } from "react-intl";
import { useCommand, useLiveQuery } from "../app/live.js";
import { ConfirmedButton } from "../components/confirmed-button.js";
import type { ShownIntegration } from "./explain-sentence.js";
import { DeadLettersDocument, DiscardLettersDocument, ReplayLetterDocument, ReplayLettersDocument } from "./letters.generated.js";
import type { Letter } from "./letters-tab.js";
import styles from "./integration.module.css";

interface Of {
  readonly integration: ShownIntegration;
  readonly onDone: (words: string) => void;
}

/** Of the chosen records, or of every open one when none is chosen. Each says how many. */
export function LetterActions({ integration, chosen, onDone: onDoneAbove }: Of & { readonly chosen: readonly Letter[] }) {
  const filter = { integration: integration.key, statuses: ["OPEN" as const] };
  const count = useLiveQuery(DeadLettersDocument, { filter, first: 1, after: null }, { kinds: ["run.finished"] });
  const open = count.data?.deadLetters.totalCount ?? 0;
  const onDone = (words: string) => {
    count.again();
    onDoneAbove(words);
  };
  const some = chosen.filter(({ status }) => status === "OPEN");
  return (
    <div className={styles["actions"]}>
      {chosen.length === 0 ? (
        <>
          {open === 0 ? null : <ReplayAll integration={integration} count={open} onDone={onDone} />}
          {open === 0 ? null : <DiscardAll integration={integration} count={open} onDone={onDone} />}
        </>
      ) : (
        <>
          {some.length === 0 ? null : <ReplaySome integration={integration} letters={some} onDone={onDone} />}
          <DiscardSome letters={chosen} onDone={onDone} />
        </>
      )}
    </div>
  );
}

function useReplayWords() {
  const { formatMessage } = useIntl();
  return (letters: number, passedOver: number) => formatMessage({ id: "integrations.replayed" }, { letters, passedOver });
}

function ReplayAll({ integration: { key }, count, onDone }: Of & { readonly count: number }) {
  const { formatMessage } = useIntl();
  const words = useReplayWords();
  const { run, ...command } = useCommand(ReplayLettersDocument);
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "integrations.replay.all" }, { count })}
      title={formatMessage({ id: "integrations.replay.title" }, { count })}
      words={formatMessage({ id: "integrations.replay.words" })}
      onConfirm={async (reason) => {
        const done = await run({ input: { selection: { integration: key }, reason } });
        if (done !== null) onDone(words(done.replayDeadLetters.letters, done.replayDeadLetters.passedOver));
        return done !== null;
      }}
    />
  );
}

function ReplaySome({ integration: { key }, letters, onDone }: Of & { readonly letters: readonly Letter[] }) {
  const { formatMessage } = useIntl();
  const words = useReplayWords();
  const { run, ...command } = useCommand(ReplayLettersDocument);
  const count = letters.length;
  // A record's key is one of its stream.
  const streams = [...new Set(letters.map(({ stream }) => stream))];
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "integrations.replay.some" }, { count })}
      title={formatMessage({ id: "integrations.replay.title" }, { count })}
      words={formatMessage({ id: "integrations.replay.words" })}
      onConfirm={async (reason) => {
        const sum = { letters: 0, passedOver: 0 };
        for (const stream of streams) {
          const recordKeys = letters.filter((letter) => letter.stream === stream).map(({ recordKey }) => recordKey);
          const done = await run({ input: { selection: { integration: key, stream, recordKeys }, reason } });
          if (done === null) return false;
          sum.letters += done.replayDeadLetters.letters;
          sum.passedOver += done.replayDeadLetters.passedOver;
        }
        onDone(words(sum.letters, sum.passedOver));
        return true;
      }}
    />
  );
}

/** A write that may have been applied: whoever delivers it once more says that the target does not have it. */
export function ReplayInDoubt({
  letter: { key, recordKey },
  onDone,
}: {
  readonly letter: Letter;
  readonly onDone: (words: string) => void;
}) {
  const { formatMessage } = useIntl();
  const words = useReplayWords();
  const { run, ...command } = useCommand(ReplayLetterDocument);
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "integrations.replay.doubt" })}
      name={formatMessage({ id: "integrations.replay.doubt.named" }, { recordKey })}
      title={formatMessage({ id: "integrations.replay.doubt.named" }, { recordKey })}
      words={formatMessage({ id: "integrations.replay.doubt.words" })}
      isDangerous
      onConfirm={async (reason) => {
        const done = await run({ input: { key, reason, inDoubt: true } });
        if (done !== null) onDone(words(done.replayDeadLetter.letters, done.replayDeadLetter.passedOver));
        return done !== null;
      }}
    />
  );
}

function DiscardAll({ integration: { key }, count, onDone }: Of & { readonly count: number }) {
  return <Discard count={count} input={{ selection: { integration: key } }} onDone={onDone} isAll />;
}

function DiscardSome({ letters, onDone }: { readonly letters: readonly Letter[]; readonly onDone: (words: string) => void }) {
  return <Discard count={letters.length} input={{ keys: letters.map(({ key }) => key) }} onDone={onDone} />;
}

function Discard({
  count,
  input,
  onDone,
  isAll = false,
}: {
  readonly count: number;
  readonly input: { readonly keys?: readonly string[]; readonly selection?: { readonly integration: string } };
  readonly onDone: (words: string) => void;
  readonly isAll?: boolean;
}) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(DiscardLettersDocument);
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: isAll ? "integrations.discard.all" : "integrations.discard.some" }, { count })}
      title={formatMessage({ id: "integrations.discard.title" }, { count })}
      words={formatMessage({ id: "integrations.discard.words" })}
      isDangerous
      onConfirm={async (reason) => {
        const done = await run({ input: { ...input, reason } });
        if (done !== null) onDone(formatMessage({ id: "integrations.discarded" }, { count: done.discardDeadLetters }));
        return done !== null;
      }}
    />
  );
}
