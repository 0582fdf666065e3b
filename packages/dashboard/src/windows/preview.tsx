import type { Refusal } from "@quiesce/client";
import { FormattedMessage, useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import { StatusGlyph } from "../components/status.js";
import { RefusalText } from "../components/refusal-text.js";
import { ErrorState, Loading } from "../components/states.js";
import { coveragePathText } from "./coverage-path.js";
import { clockChangeOf } from "./clock-change.js";
import type { PreviewWindowQuery } from "./editor.generated.js";
import { FreeSlot, type Slot } from "./free-slot.js";
import { seriesSentence } from "./series-sentence.js";
import type { WindowInput } from "./window-form.js";
import styles from "./windows.module.css";

export type Preview = PreviewWindowQuery["previewMaintenanceWindow"];
type PreviewOccurrence = Preview["occurrences"][number];

const SHOWN_OCCURRENCES = 6;
const SHOWN_MEMBERS = 12;
const SHOWN_CONFLICTS = 8;
const DAY_MS = 86_400_000;

/** What saving would do, told while it is still planned. Null data: the form does not say enough yet. */
export function PreviewPanel({
  input,
  preview,
  refusal,
  onTake,
}: {
  readonly input: WindowInput | null;
  readonly preview: Preview | undefined;
  readonly refusal: Refusal | null;
  /** Plans it at other local times; null where it has more than one time. */
  readonly onTake: ((slot: Slot) => void) | null;
}) {
  return (
    <section className={styles["preview"]} aria-labelledby="preview-title">
      <h2 id="preview-title">
        <FormattedMessage id="windows.preview" />
      </h2>
      {input === null ? (
        <p className="quiet">
          <FormattedMessage id="windows.preview.incomplete" />
        </p>
      ) : (
        <>
          {refusal === null ? null : <ErrorState refusal={refusal} />}
          {preview === undefined ? refusal === null && <Loading /> : <Shown input={input} preview={preview} onTake={onTake} />}
        </>
      )}
    </section>
  );
}

function Shown({
  input,
  preview,
  onTake,
}: {
  readonly input: WindowInput;
  readonly preview: Preview;
  readonly onTake: ((slot: Slot) => void) | null;
}) {
  return (
    <>
      <Sentence series={input.series} occurrence={preview.occurrences[0]} />
      <ul className={styles["notices"]}>
        {preview.approvals.length > 0 ? (
          <li>
            <StatusGlyph tone="held" /> <FormattedMessage id="windows.unapproved" />{" "}
            <FormattedMessage id="windows.approvals" values={{ policies: preview.approvals.join(", ") }} />
          </li>
        ) : null}
        {preview.refusals.map(({ code, field, message, nearest }) => (
          <li key={code + field} className={styles["refusal"]}>
            <StatusGlyph tone="failing" /> <RefusalText refusal={{ code, message, details: {} }} />{" "}
            {nearest === null ? null : <FormattedMessage id="windows.nearest" values={{ nearest }} />} <code>{code}</code>
          </li>
        ))}
        {preview.notices.map((notice) => (
          <Notice key={notice.kind + notice.subject} notice={notice} />
        ))}
      </ul>
      <h3>
        <FormattedMessage id="windows.next" />
      </h3>
      <Occurrences zone={input.series.timeZone} occurrences={preview.occurrences} />
      <h3>
        <FormattedMessage id="windows.covered" />
      </h3>
      <Covered preview={preview} />
      <h3>
        <FormattedMessage id="windows.effect" />
      </h3>
      <Effect preview={preview} />
      <h3>
        <FormattedMessage id="windows.conflicts" />
      </h3>
      <Conflicts preview={preview} zone={input.series.timeZone} />
      <FreeSlot input={input} preview={preview} onTake={onTake} />
    </>
  );
}

/** What else there is to look at. Approvals, and names that nobody knows, stand elsewhere on the page. */
function Notice({ notice: { kind, subject, names } }: { readonly notice: Preview["notices"][number] }) {
  const intl = useIntl();
  if (kind === "NEEDS_APPROVAL" || kind === "SCOPE_UNKNOWN") return null;
  const ways = kind === "SOFTLY_AFFECTED" ? names.map((way) => way.split(/ ~?> /).toReversed().join(" → ")) : names;
  return (
    <li>
      <StatusGlyph tone="held" />{" "}
      <FormattedMessage id={`windows.notice.${kind}`} values={{ subject: subject ?? "", names: intl.formatList(ways) }} />
    </li>
  );
}

function Sentence({ series, occurrence }: { readonly series: WindowInput["series"]; readonly occurrence: PreviewOccurrence | undefined }) {
  const intl = useIntl();
  const times = useTimes();
  const shown = {
    start: series.start,
    end: series.end ?? null,
    duration: series.duration ?? null,
    rrule: series.rrule ?? null,
    timeZone: series.timeZone,
    businessDays: series.businessDays ?? null,
  };
  const sentence = seriesSentence(shown, intl);
  return (
    <p className={styles["sentence"]}>
      {occurrence === undefined ? (
        <FormattedMessage id="windows.sentence.never" values={{ sentence }} />
      ) : (
        <FormattedMessage
          id="windows.sentence"
          values={{
            sentence,
            day: intl.formatDate(occurrence.startsAt, { timeZone: "UTC", day: "numeric", month: "long" }),
            start: times.clock(occurrence.startsAt, "UTC"),
            end: times.end(occurrence.startsAt, occurrence.endsAt, "UTC"),
          }}
        />
      )}
    </p>
  );
}

function Occurrences({ occurrences, zone }: { readonly occurrences: readonly PreviewOccurrence[]; readonly zone: string }) {
  const times = useTimes();
  const intl = useIntl();
  if (occurrences.length === 0)
    return (
      <p className="quiet">
        <FormattedMessage id="windows.next.none" />
      </p>
    );
  return (
    <ol className={styles["occurrences"]}>
      {occurrences.slice(0, SHOWN_OCCURRENCES).map((occurrence) => {
        const { startsAt, endsAt, localStart, localEnd } = occurrence;
        const isLong = Date.parse(`${localEnd}Z`) - Date.parse(`${localStart}Z`) >= DAY_MS;
        const date = intl.formatDate(startsAt, { timeZone: zone, weekday: "short", day: "numeric", month: "long", year: "numeric" });
        return (
          <li key={startsAt}>
            <span className={styles["occurrence-day"]}>{date}</span>
            <span>
              {localStart.slice(11, 16)}–{isLong ? times.end(startsAt, endsAt, zone) : localEnd.slice(11, 16)}
            </span>
            <span className="quiet">
              {times.clock(startsAt, "UTC")}–{times.end(startsAt, endsAt, "UTC")} UTC
            </span>
            <ClockNote occurrence={occurrence} zone={zone} />
          </li>
        );
      })}
    </ol>
  );
}

/** What a clock change does to it, in the reader's language; any other note as the server says it. */
function ClockNote({ occurrence, zone }: { readonly occurrence: PreviewOccurrence; readonly zone: string }) {
  const times = useTimes();
  const intl = useIntl();
  const change = clockChangeOf(occurrence, zone);
  if (change === null)
    return occurrence.notes.length === 0 ? null : (
      <span className={styles["note"]} lang="en">
        {occurrence.notes.join(". ")}
      </span>
    );
  const { kind, lengthMs, from, to, planned, start } = change;
  const day = intl.formatDate(occurrence.startsAt, { timeZone: zone, day: "numeric", month: "long", year: "numeric" });
  return (
    <span className={styles["note"]}>
      <FormattedMessage id={`windows.clock.${kind}`} values={{ day, length: times.length(lengthMs), from, to, planned, start }} />
    </span>
  );
}

function Covered({ preview }: { readonly preview: Preview }) {
  const intl = useIntl();
  const { members, coverage, heldJobs, unknown } = preview;
  const chains = new Map<string, string | null>(coverage.map(({ integration, paths }) => [integration, onlyThrough(paths)]));
  const through = [...chains.values()].filter((chain) => chain !== null);
  return (
    <>
      <p>
        <FormattedMessage
          id="windows.covers"
          values={{ jobs: heldJobs.length, integrations: members.length, through: through.length, chain: [...new Set(through)].join(", ") }}
        />
      </p>
      <ul className={styles["members"]}>
        {members.slice(0, SHOWN_MEMBERS).map(({ integration, path }) => (
          <li key={integration.id}>
            {integration.name} <span className="quiet">{chains.get(integration.key) ?? coveragePathText(path, intl)}</span>
          </li>
        ))}
      </ul>
      {members.length > SHOWN_MEMBERS ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: members.length - SHOWN_MEMBERS }} />
        </p>
      ) : null}
      {unknown.length === 0 ? null : (
        <p className={styles["refusal"]}>
          <FormattedMessage id="windows.unknown" values={{ names: unknown.join(", ") }} />
        </p>
      )}
    </>
  );
}

/** The chain of systems, when only that makes it covered: ERP → Warehouse. */
function onlyThrough(paths: Preview["coverage"][number]["paths"]): string | null {
  const [first] = paths;
  if (first === undefined || paths.some(({ via }) => via !== "DEPENDENCY")) return null;
  return first.detail.split(" > ").toReversed().join(" → ");
}

function Effect({ preview }: { readonly preview: Preview }) {
  const times = useTimes();
  const { heldJobs, forecast } = preview;
  const missed = heldJobs.reduce((sum, { dueTimes }) => sum + dueTimes, 0);
  const after = heldJobs.reduce((sum, { runsAfter }) => sum + runsAfter, 0);
  const drainMs = forecast?.drain.expectedMs ?? forecast?.drain.atLeastMs ?? null;
  const length = drainMs === null || drainMs === 0 ? "none" : times.length(drainMs);
  return (
    <p>
      <FormattedMessage id="windows.effect.runs" values={{ missed, after, length }} />
    </p>
  );
}

function Conflicts({ preview, zone }: { readonly preview: Preview; readonly zone: string }) {
  const times = useTimes();
  const intl = useIntl();
  const { listed } = preview.conflicts;
  if (listed.length === 0)
    return (
      <p className="quiet">
        <FormattedMessage id="windows.conflicts.none" />
      </p>
    );
  return (
    <>
      <ul className={styles["notices"]}>
        {listed.slice(0, SHOWN_CONFLICTS).map((conflict) => (
          <li key={`${conflict.with} ${conflict.from} ${conflict.relation}`}>
            <StatusGlyph tone={conflict.blocks ? "failing" : "held"} />{" "}
            <FormattedMessage
              id={conflict.relation === "TOUCHES" ? "windows.conflict.touches" : "windows.conflict"}
              values={{
                title: conflict.title,
                kind: intl.formatMessage({ id: `windows.kind.${conflict.kind}` }),
                day: intl.formatDate(conflict.from, { timeZone: zone, day: "numeric", month: "long" }),
                from: times.clock(conflict.from, zone),
                until: conflict.until === null ? "none" : times.clock(conflict.until, zone),
              }}
            />
          </li>
        ))}
      </ul>
      {listed.length > SHOWN_CONFLICTS ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: listed.length - SHOWN_CONFLICTS }} />
        </p>
      ) : null}
    </>
  );
}
