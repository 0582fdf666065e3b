import { Link, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { actorText } from "../app/actor-text.js";
import { useLiveQuery, useLiveState } from "../app/live.js";
import { useNow, useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { coveragePathText } from "./coverage-path.js";
import { Progress } from "./progress.js";
import { useSeriesSentence } from "./series-sentence.js";
import { OccurrenceStatus } from "./state.js";
import { PastOccurrencesDocument, WindowCoversDocument, WindowPageDocument, WindowProgressDocument } from "./window.generated.js";
import { Restore, Skip, WindowActions } from "./window-actions.js";
import { UndecidedFreeze } from "./undecided-freeze.js";
import { type LiveOccurrence, type ShownWindow, windowSentence } from "./window-sentence.js";
import styles from "./windows.module.css";

const SHOWN_MEMBERS = 30;
const REDRAW_MS = 10_000;
const PAST_MS = 100 * 86_400_000;

/** A window: where it is, live, and what can be done about it. */
export function WindowPage() {
  const { key } = useParams({ from: "/windows/$key" });
  // With a beginning the list has skipped times as well, which can be restored.
  const [from] = useState(() => new Date().toISOString());
  const window = useLiveQuery(WindowPageDocument, { key, from }, { kinds: ["window.*", "hold.*", "catalogue.applied"] });
  const live = useLiveState(WindowProgressDocument, { key }, { isPaused: window.data?.maintenanceWindow === null });
  const { data, refusal, again } = window;
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  if (data.maintenanceWindow === null)
    return (
      <Empty
        action={
          <Link to="/windows" className="button">
            <FormattedMessage id="windows.menu" />
          </Link>
        }
      >
        <FormattedMessage id="windows.unknown-window" values={{ key }} />
      </Empty>
    );
  if (live.data === undefined && live.refusal === null) return <Loading />;
  return (
    <>
      {live.refusal === null ? null : <ErrorState refusal={live.refusal} onAgain={live.again} />}
      <Shown window={data.maintenanceWindow} occurrence={live.data?.windowProgress.occurrence ?? null} />
    </>
  );
}

function Shown({ window, occurrence }: { readonly window: ShownWindow; readonly occurrence: LiveOccurrence | null }) {
  const intl = useIntl();
  const times = useTimes();
  const now = useNow(REDRAW_MS);
  const series = useSeriesSentence(window.series);
  const { key, owner, reason, cancelledAt, freezeConflicts } = window;
  const actions = (
    <>
      {cancelledAt === null ? (
        <Link to="/plan/$key" params={{ key }} className="button">
          <FormattedMessage id="windows.edit" />
        </Link>
      ) : null}
      <WindowActions window={window} occurrence={occurrence} />
    </>
  );
  return (
    <Page title={windowSentence(window, occurrence, { intl, times, now })} actions={actions}>
      <p>
        <FormattedMessage id="windows.about" values={{ sentence: series, owner, reason }} />
      </p>
      {freezeConflicts.map((conflict) => (
        <p key={conflict.localStart + conflict.freeze.id + conflict.from} className={styles["refusal"]}>
          <UndecidedFreeze window={window} conflict={conflict} />
        </p>
      ))}
      {occurrence === null ? null : <Progress occurrence={occurrence} />}
      <Approval window={window} />
      <div className={styles["columns"]}>
        <div>
          <Upcoming window={window} />
          <Past windowKey={key} />
        </div>
        <Members window={window} />
      </div>
    </Page>
  );
}

function Approval({ window: { approval } }: { readonly window: ShownWindow }) {
  const intl = useIntl();
  const times = useTimes();
  if (approval === null) return null;
  const { state, requestedBy, requestedAt, given, rejected } = approval;
  const values =
    state === "REJECTED"
      ? { by: actorText(rejected?.by ?? "", intl), comment: rejected?.comment ?? "", at: "" }
      : { by: actorText(requestedBy, intl), at: times.instant(requestedAt), comment: "" };
  return (
    <section>
      <h2>
        <FormattedMessage id="windows.approval" />
      </h2>
      <p>
        <FormattedMessage id={`windows.approval.${state}`} values={values} />
      </p>
      <ul className={styles["notices"]}>
        {given.map(({ by, at, policy }) => (
          <li key={policy + at}>
            <FormattedMessage id="windows.approval.given" values={{ by: actorText(by, intl), policy, at: times.instant(at) }} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Upcoming({ window }: { readonly window: ShownWindow }) {
  const times = useTimes();
  const { nodes } = window.occurrences;
  return (
    <section>
      <h2>
        <FormattedMessage id="windows.upcoming" />
      </h2>
      {nodes.length === 0 ? (
        <p className="quiet">
          <FormattedMessage id="windows.next.none" />
        </p>
      ) : (
        <ul className={styles["notices"]}>
          {nodes.map(({ id, state, startsAt, endsAt, localStart, timeZone, cancelledAt }) => {
            const day = times.day(startsAt, timeZone);
            return (
              <li key={id} className={styles["line"]}>
                <span>
                  {day} {times.clock(startsAt, timeZone)}–{times.end(startsAt, endsAt, timeZone)}
                </span>
                <OccurrenceStatus state={state} />
                {state === "SCHEDULED" || state === "UNAPPROVED" ? <Skip window={window} localStart={localStart} day={day} /> : null}
                {cancelledAt !== null && window.cancelledAt === null ? <Restore window={window} localStart={localStart} day={day} /> : null}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Past({ windowKey }: { readonly windowKey: string }) {
  const times = useTimes();
  const [now] = useState(() => Date.now());
  const variables = useMemo(
    () => ({ key: windowKey, from: new Date(now - PAST_MS).toISOString(), to: new Date(now).toISOString() }),
    [windowKey, now],
  );
  const { data, refusal, again } = useLiveQuery(PastOccurrencesDocument, variables, { kinds: ["window.*"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const begun = data.occurrences.nodes.toReversed();
  return (
    <section>
      <h2>
        <FormattedMessage id="windows.past" />
      </h2>
      {begun.length === 0 ? (
        <p className="quiet">
          <FormattedMessage id="windows.past.none" />
        </p>
      ) : (
        <ul className={styles["notices"]}>
          {begun.map(({ id, state, startsAt, endsAt, localStart, timeZone }) => {
            const day = times.day(startsAt, timeZone);
            return (
              <li key={id} className={styles["line"]}>
                <Link to="/windows/$key/report" params={{ key: windowKey }} search={{ at: localStart }}>
                  <FormattedMessage id="windows.past.report" values={{ day }} />
                </Link>
                <span>
                  {times.clock(startsAt, timeZone)}–{times.end(startsAt, endsAt, timeZone)}
                </span>
                <OccurrenceStatus state={state} />
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

/** What it covers: of an occurrence that is open or near as it is kept, of a later one as its scope and the catalogue say now. */
function Members({ window: { key, members, nextStart, cancelledAt } }: { readonly window: ShownWindow }) {
  const isOver = cancelledAt !== null || nextStart === null;
  return (
    <section>
      <h2>
        <FormattedMessage id="windows.members" />
      </h2>
      {members.length > 0 ? (
        <MemberList members={members} />
      ) : isOver ? (
        <p className="quiet">
          <FormattedMessage id="windows.members.over" />
        </p>
      ) : (
        <WillCover windowKey={key} />
      )}
    </section>
  );
}

function WillCover({ windowKey }: { readonly windowKey: string }) {
  const { data, refusal, again } = useLiveQuery(WindowCoversDocument, { key: windowKey }, { kinds: ["window.*", "catalogue.applied"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { members } = data.previewStandingWindow;
  if (members.length > 0) return <MemberList members={members} />;
  return (
    <p className="quiet">
      <FormattedMessage id="windows.members.none" />
    </p>
  );
}

function MemberList({ members }: Pick<ShownWindow, "members">) {
  const intl = useIntl();
  return (
    <>
      <ul className={styles["members"]}>
        {members.slice(0, SHOWN_MEMBERS).map(({ integration, path }) => (
          <li key={integration.id}>
            <Link to="/integrations/$key" params={{ key: integration.key }}>
              {integration.name}
            </Link>{" "}
            <span className="quiet">{coveragePathText(path, intl)}</span>
          </li>
        ))}
      </ul>
      {members.length > SHOWN_MEMBERS ? (
        <p className="quiet">
          <FormattedMessage id="windows.more" values={{ count: members.length - SHOWN_MEMBERS }} />
        </p>
      ) : null}
    </>
  );
}
