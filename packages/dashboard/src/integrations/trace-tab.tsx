import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Checkbox } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { StatusGlyph, type StatusTone } from "../components/status.js";
import { Field } from "../components/text-field.js";
import { exactText, type ShownIntegration } from "./explain-sentence.js";
import { TraceRecordDocument, type TraceRecordQuery } from "./trace.generated.js";
import styles from "./integration.module.css";

type Hop = TraceRecordQuery["trace"]["hops"][number];

const tones: { readonly [step in Hop["step"]]?: StatusTone } = {
  DEAD_LETTER: "failing",
  MISSING: "failing",
  CONFLICT: "failing",
  HELD: "held",
  REVIEW: "held",
  REPLAYED: "resuming",
};

/** What happened to one record, hop by hop; the record is in the address. */
export function TraceTab({ integration }: { readonly integration: ShownIntegration }) {
  const { formatMessage } = useIntl();
  const { record = "" } = useSearch({ from: "/integrations/$key" });
  const navigate = useNavigate({ from: "/integrations/$key" });
  const [text, setText] = useState(record);
  const [isEverywhere, setEverywhere] = useState(true);
  const follow = (event: FormEvent) => {
    event.preventDefault();
    void navigate({ search: (before) => ({ ...before, tab: "trace", record: text.trim() === "" ? undefined : text.trim() }) });
  };
  return (
    <>
      <form className={styles["tab-filters"]} onSubmit={follow}>
        <Field
          label={formatMessage({ id: "integrations.trace.record" })}
          hint={formatMessage({ id: "integrations.trace.hint" })}
          value={text}
          onChange={setText}
          maxLength={500}
        />
        <Checkbox className="checkbox" isSelected={isEverywhere} onChange={setEverywhere}>
          <span className="checkbox-box" aria-hidden="true" />
          <FormattedMessage id="integrations.trace.everywhere" />
        </Checkbox>
        <Button type="submit">
          <FormattedMessage id="integrations.trace.follow" />
        </Button>
      </form>
      {record === "" ? null : <Hops recordKey={record} integration={isEverywhere ? null : integration.key} />}
    </>
  );
}

function Hops({ recordKey, integration }: { readonly recordKey: string; readonly integration: string | null }) {
  const times = useTimes();
  const { data, refusal, again } = useLiveQuery(TraceRecordDocument, { recordKey, integration }, { kinds: ["run.finished"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { hops, isCut, knownFrom } = data.trace;
  const from =
    knownFrom === null ? null : (
      <p className="quiet">
        <FormattedMessage id="integrations.trace.known" values={{ at: times.instant(knownFrom) }} />
      </p>
    );
  if (hops.length === 0)
    return (
      <>
        <Empty>
          <FormattedMessage id="integrations.trace.none" values={{ recordKey }} />
        </Empty>
        {from}
      </>
    );
  return (
    <>
      {isCut ? (
        <p className="quiet">
          <FormattedMessage id="integrations.trace.cut" values={{ count: hops.length }} />
        </p>
      ) : null}
      <ol className={styles["hops"]}>
        {hops.map((hop, index) => (
          // Two hops of one run may be of one moment.
          <HopLine key={`${hop.at} ${hop.step} ${index}`} hop={hop} />
        ))}
      </ol>
      {from}
    </>
  );
}

function HopLine({ hop }: { readonly hop: Hop }) {
  const times = useTimes();
  const { at, step, integration, stream, targetKey, message, run, holds, recordKey } = hop;
  return (
    <li className={styles["hop"]}>
      <span className={styles["hop-at"]}>{exactText(at, times)}</span>
      <span>
        <StatusGlyph tone={tones[step] ?? "quiet"} />{" "}
        <strong>
          <FormattedMessage id={`integrations.step.${step}`} />
        </strong>{" "}
        <Link to="/integrations/$key" params={{ key: integration.key }} search={{ tab: "trace", record: recordKey, run: run?.key }}>
          {integration.name}
        </Link>{" "}
        <span className="quiet">
          {stream}
          {targetKey === null || targetKey === recordKey ? "" : ` → ${targetKey}`}
          {holds.length === 0 ? "" : ` (${holds.map(({ title }) => title).join(", ")})`}
        </span>
        {message === null ? null : <span className={styles["hop-message"]}>{message}</span>}
      </span>
    </li>
  );
}
