import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Switch } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useCommand, useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Field } from "../components/text-field.js";
import { IncidentTimelineDocument, type IncidentTimelineKind, NoteIncidentDocument } from "./incident.generated.js";
import type { ShownIncident } from "./incident-sentence.js";
import { type TimelineItem, timelineSentence } from "./timeline-sentence.js";
import styles from "./incidents.module.css";

/** What was done, and what people changed or planned nearby. Alerts and failed runs come on demand. */
const pinned: IncidentTimelineKind[] = ["ENTRY", "WINDOW_BEGAN", "WINDOW_ENDED", "CHANGE"];
const PAGE_SIZE = 100;
const kinds = ["incident.*", "alert.*", "window.*", "run.finished"];

/** State changes and pinned items of an incident, and everything else on demand; notes are written here. */
export function Timeline({ incident }: { readonly incident: ShownIncident }) {
  const [isAll, setAll] = useState(false);
  return (
    <section className={styles["timeline"]}>
      <div className={styles["timeline-head"]}>
        <h2>
          <FormattedMessage id="incidents.timeline" />
        </h2>
        <Switch className="checkbox" isSelected={isAll} onChange={setAll}>
          <span className="checkbox-box" aria-hidden="true" />
          <FormattedMessage id="incidents.timeline.all" />
        </Switch>
      </div>
      <Items key={String(isAll)} incidentKey={incident.key} isAll={isAll} />
      <NoteForm incidentKey={incident.key} />
    </section>
  );
}

function Items({ incidentKey, isAll }: { readonly incidentKey: string; readonly isAll: boolean }) {
  const [pages, setPages] = useState<readonly (string | null)[]>([null]);
  return (
    <ol className={styles["items"]}>
      {pages.map((after, index) => (
        <ItemsPage
          key={after}
          variables={{ key: incidentKey, kinds: isAll ? null : pinned, first: PAGE_SIZE, after }}
          isLast={index === pages.length - 1}
          onMore={(cursor) => setPages([...pages, cursor])}
        />
      ))}
    </ol>
  );
}

interface PageVariables {
  readonly key: string;
  readonly kinds: IncidentTimelineKind[] | null;
  readonly first: number;
  readonly after: string | null;
}

function ItemsPage(props: { readonly variables: PageVariables; readonly isLast: boolean; readonly onMore: (cursor: string) => void }) {
  const { variables, isLast, onMore } = props;
  const { data, refusal, again } = useLiveQuery(IncidentTimelineDocument, variables, { kinds });
  const timeline = data?.incident?.timeline;
  if (timeline === undefined) return <li>{refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />}</li>;
  const { nodes, pageInfo } = timeline;
  const { endCursor } = pageInfo;
  return (
    <>
      {nodes.map((item, index) => (
        <Item key={`${item.at} ${item.kind} ${item.subject} ${index}`} item={item} />
      ))}
      {nodes.length === 0 ? (
        <li>
          <Empty>
            <FormattedMessage id="incidents.timeline.none" />
          </Empty>
        </li>
      ) : null}
      {isLast && pageInfo.hasNextPage && endCursor !== null ? (
        <li>
          <Button onPress={() => onMore(endCursor)}>
            <FormattedMessage id="incidents.timeline.more" />
          </Button>
        </li>
      ) : null}
    </>
  );
}

const marks: { readonly [kind in IncidentTimelineKind]: string } = {
  ALERT_FIRED: "▲",
  ALERT_RESOLVED: "●",
  ENTRY: "○",
  WINDOW_BEGAN: "⏸\uFE0E",
  WINDOW_ENDED: "▸",
  RUN_FAILED: "✕",
  CHANGE: "✎",
};

function Item({ item }: { readonly item: TimelineItem }) {
  const intl = useIntl();
  const times = useTimes();
  const { at, kind, actor, subject } = item;
  const sentence = timelineSentence(item, intl);
  const who = actor === null || /^(?:system|server):/.test(actor) ? null : actor.replace(/^[a-z-]+:/, "");
  const isWindow = kind === "WINDOW_BEGAN" || kind === "WINDOW_ENDED";
  return (
    <li className={styles["item"]}>
      <time dateTime={at} title={times.full(at)} className={styles["item-time"]}>
        {times.instant(at)}
      </time>
      <span
        className={`${styles["item-mark"]} ${kind === "ALERT_FIRED" || kind === "RUN_FAILED" ? "glyph-failing" : "glyph-quiet"}`}
        aria-hidden="true"
      >
        {marks[kind]}
      </span>
      <span className={subject === "note" && kind === "ENTRY" ? styles["note"] : undefined}>
        {isWindow && subject !== null ? (
          <Link to="/windows/$key" params={{ key: subject }}>
            {sentence}
          </Link>
        ) : (
          sentence
        )}
        {who === null ? null : <span className="quiet"> · {who}</span>}
      </span>
    </li>
  );
}

function NoteForm({ incidentKey }: { readonly incidentKey: string }) {
  const { formatMessage } = useIntl();
  const { run, isRunning, refusal } = useCommand(NoteIncidentDocument);
  const [text, setText] = useState("");
  const [isMissing, setMissing] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setMissing(text.trim() === "");
    if (text.trim() === "" || isRunning) return;
    if ((await run({ input: { key: incidentKey, text: text.trim() } })) !== null) setText("");
  };
  return (
    <form onSubmit={(event) => void send(event)} className={styles["note-form"]}>
      <Field
        label={formatMessage({ id: "incidents.note" })}
        value={text}
        onChange={setText}
        isLong
        maxLength={10_000}
        error={isMissing ? formatMessage({ id: "windows.missing" }) : null}
      />
      <Button type="submit">
        <FormattedMessage id="incidents.note.add" />
      </Button>
      {refusal === null ? null : <ErrorState refusal={refusal} />}
    </form>
  );
}
