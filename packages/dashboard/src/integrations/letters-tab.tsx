import { useMemo, useState } from "react";
import { Checkbox } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status, type StatusTone } from "../components/status.js";
import { messageOf, type ShownIntegration } from "./explain-sentence.js";
import { JsonText } from "./json-text.js";
import { LetterActions, ReplayInDoubt } from "./letter-actions.js";
import { DeadLettersDocument, type DeadLettersQuery } from "./letters.generated.js";
import { Pick } from "./pick.js";
import styles from "./integration.module.css";

export type Letter = DeadLettersQuery["deadLetters"]["nodes"][number];

const PAGE_SIZE = 50;
const statuses = ["OPEN", "REVIEW", "REPLAYED", "DISCARDED"] as const;
const waiting = ["OPEN", "REVIEW"] as const;
const tones: { readonly [status in Letter["status"]]: StatusTone } = {
  OPEN: "failing",
  REVIEW: "held",
  REPLAYED: "resuming",
  DISCARDED: "quiet",
};

/** Records that could not be delivered: look at them, deliver some or all once more, give them up. */
export function LettersTab({ integration, onChanged }: { readonly integration: ShownIntegration; readonly onChanged: () => void }) {
  const { formatMessage } = useIntl();
  const [status, setStatus] = useState("");
  return (
    <>
      <div className={styles["tab-filters"]}>
        <Pick
          label={formatMessage({ id: "integrations.letters.status" })}
          none={formatMessage({ id: "integrations.letters.waiting" })}
          value={status}
          options={statuses.map((id) => ({ id, text: formatMessage({ id: `integrations.letter.${id}` }) }))}
          onChange={setStatus}
        />
      </div>
      <List key={status} integration={integration} status={statuses.find((one) => one === status) ?? null} onChanged={onChanged} />
    </>
  );
}

function List({
  integration,
  status,
  onChanged,
}: {
  readonly integration: ShownIntegration;
  readonly status: Letter["status"] | null;
  readonly onChanged: () => void;
}) {
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [told, setTold] = useState<string | null>(null);
  const after = cursors.at(-1) ?? null;
  const variables = useMemo(
    () => ({ filter: { integration: integration.key, statuses: status === null ? [...waiting] : [status] }, first: PAGE_SIZE, after }),
    [integration.key, status, after],
  );
  const { data, refusal, again } = useLiveQuery(DeadLettersDocument, variables, { kinds: ["run.finished", "run.requeued"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes, pageInfo, totalCount } = data.deadLetters;
  const shown = nodes.filter(({ key }) => chosen.has(key));
  const done = (words: string) => {
    setTold(words);
    setChosen(new Set());
    again();
    onChanged();
  };
  const toggle = (key: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(key);
    else next.delete(key);
    setChosen(next);
  };
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <p role="status" className={styles["told"]}>
        {told}
      </p>
      {nodes.length === 0 ? (
        <Empty>
          <FormattedMessage id={status === null ? "integrations.letters.none" : "integrations.letters.none-such"} />
        </Empty>
      ) : (
        <>
          <p>
            <FormattedMessage id="integrations.letters.count" values={{ count: totalCount }} />
          </p>
          <LetterActions integration={integration} chosen={shown} onDone={done} />
          <ul className={styles["letters"]}>
            {nodes.map((letter) => (
              <LetterRow
                key={letter.id}
                letter={letter}
                isChosen={chosen.has(letter.key)}
                onChoose={(isChosen) => toggle(letter.key, isChosen)}
                onDone={done}
              />
            ))}
          </ul>
        </>
      )}
      <div className={styles["paging"]}>
        {cursors.length > 1 ? (
          <Button onPress={() => setCursors(cursors.slice(0, -1))}>
            <FormattedMessage id="integrations.page.before" />
          </Button>
        ) : null}
        {pageInfo.hasNextPage ? (
          <Button onPress={() => setCursors([...cursors, pageInfo.endCursor])}>
            <FormattedMessage id="integrations.page.after" />
          </Button>
        ) : null}
      </div>
    </>
  );
}

function LetterRow({
  letter,
  isChosen,
  onChoose,
  onDone,
}: {
  readonly letter: Letter;
  readonly isChosen: boolean;
  readonly onChoose: (isChosen: boolean) => void;
  readonly onDone: (words: string) => void;
}) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const [isOpen, setOpen] = useState(false);
  const { key, stream, recordKey, status, at, error, record } = letter;
  const canChoose = status === "OPEN" || status === "REVIEW";
  return (
    <li className={styles["letter"]}>
      <div className={styles["letter-line"]}>
        {canChoose ? (
          <Checkbox
            className="checkbox"
            isSelected={isChosen}
            onChange={onChoose}
            aria-label={formatMessage({ id: "integrations.letter.choose" }, { recordKey })}
          >
            <span className="checkbox-box" aria-hidden="true" />
          </Checkbox>
        ) : null}
        <strong className={styles["record-key"]}>{recordKey}</strong>
        <Status tone={tones[status]}>
          <FormattedMessage id={`integrations.letter.${status}`} />
        </Status>
        <span className="quiet">
          {stream} · {times.instant(at)}
        </span>
        <span className={styles["letter-end"]}>
          {status === "REVIEW" ? <ReplayInDoubt letter={letter} onDone={onDone} /> : null}
          <Button isQuiet onPress={() => setOpen(!isOpen)} aria-expanded={isOpen} aria-controls={`letter-${key}`}>
            <FormattedMessage id={isOpen ? "integrations.letter.hide" : "integrations.letter.show"} values={{ recordKey }} />
          </Button>
        </span>
      </div>
      <p className={styles["letter-why"]}>{messageOf(error) ?? <FormattedMessage id="integrations.letter.no-reason" />}</p>
      <div id={`letter-${key}`}>
        {isOpen ? <JsonText label={formatMessage({ id: "integrations.letter.record" }, { recordKey })} value={record} /> : null}
      </div>
    </li>
  );
}
