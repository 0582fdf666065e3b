import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { Checkbox } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { useSeriesSentence } from "./series-sentence.js";
import { OccurrenceStatus } from "./state.js";
import { Field } from "../components/text-field.js";
import { WindowsDocument, type WindowsQuery } from "./windows.generated.js";
import styles from "./windows.module.css";

type ListedWindow = WindowsQuery["maintenanceWindows"]["nodes"][number];

const PAGE_SIZE = 50;
/** The address follows what is typed when nobody has typed for so long. */
const QUIET_MS = 300;

/** Every window: when it happens, who answers for it, where it is. The filters are in the address. */
export function WindowsPage() {
  const { q = "", cancelled = false } = useSearch({ from: "/windows" });
  const { formatMessage } = useIntl();
  return (
    <Page title={formatMessage({ id: "windows.list.title" })} actions={<Actions />}>
      <Filters q={q} isCancelledShown={cancelled} />
      <List key={`${q} ${cancelled}`} q={q} isCancelledShown={cancelled} />
    </Page>
  );
}

function Actions() {
  return (
    <>
      <Link to="/calendar" className="button">
        <FormattedMessage id="windows.calendar" />
      </Link>
      <Link to="/slots" className="button">
        <FormattedMessage id="windows.slots" />
      </Link>
      <Link to="/plan" className="button button-primary">
        <FormattedMessage id="windows.new" />
      </Link>
    </>
  );
}

function Filters({ q, isCancelledShown }: { readonly q: string; readonly isCancelledShown: boolean }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/windows" });
  const [text, setText] = useState(q);
  useEffect(() => {
    if (text === q) return undefined;
    const timer = setTimeout(
      () => void navigate({ search: ({ q: _before, ...rest }) => (text === "" ? rest : { ...rest, q: text }), replace: true }),
      QUIET_MS,
    );
    return () => clearTimeout(timer);
  }, [text, q, navigate]);
  return (
    <search className={styles["filters"]}>
      <Field label={formatMessage({ id: "windows.search" })} type="search" value={text} onChange={setText} maxLength={100} />
      <Checkbox
        className="checkbox"
        isSelected={isCancelledShown}
        onChange={(isShown) =>
          void navigate({ search: ({ cancelled: _before, ...rest }) => (isShown ? { ...rest, cancelled: true } : rest) })
        }
      >
        <span className="checkbox-box" aria-hidden="true" />
        <FormattedMessage id="windows.cancelled-too" />
      </Checkbox>
    </search>
  );
}

function List({ q, isCancelledShown }: { readonly q: string; readonly isCancelledShown: boolean }) {
  const pages = usePages();
  const { after } = pages;
  const variables = useMemo(
    () => ({ filter: { search: q === "" ? null : q, includeCancelled: isCancelledShown }, first: PAGE_SIZE, after }),
    [q, isCancelledShown, after],
  );
  const { data, refusal, again } = useLiveQuery(WindowsDocument, variables, { kinds: ["window.*", "catalogue.applied"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes, pageInfo } = data.maintenanceWindows;
  if (nodes.length === 0)
    return (
      <Empty
        action={
          <Link to="/plan" className="button">
            <FormattedMessage id="windows.new" />
          </Link>
        }
      >
        <FormattedMessage id={q === "" ? "windows.none" : "windows.none-found"} values={{ q }} />
      </Empty>
    );
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <ul className={styles["windows"]}>
        {nodes.map((window) => (
          <Row key={window.id} window={window} />
        ))}
      </ul>
      <PageButtons pages={pages} pageInfo={pageInfo} />
    </>
  );
}

function Row({ window }: { readonly window: ListedWindow }) {
  const sentence = useSeriesSentence(window.series);
  const { key, title, owner, kind, currentOrNext, cancelledAt, approval } = window;
  return (
    <li className={styles["window"]}>
      <span className={styles["window-name"]}>
        <Link to="/windows/$key" params={{ key }}>
          {title}
        </Link>
        <span className="quiet">
          <FormattedMessage id={`windows.kind.${kind}`} /> · {owner}
        </span>
      </span>
      <span className={styles["window-series"]}>{sentence}</span>
      <span className={styles["window-next"]}>
        {currentOrNext === null ? (
          <span className="quiet">
            <FormattedMessage id={cancelledAt === null ? "windows.over" : "now.state.CANCELLED"} />
          </span>
        ) : (
          <>
            <OccurrenceStatus state={currentOrNext.state} />
            <OccurrenceTimes occurrence={currentOrNext} />
          </>
        )}
        {approval !== null && approval.state === "REJECTED" ? <FormattedMessage id="windows.rejected" /> : null}
      </span>
    </li>
  );
}

/** In the window's zone, and the reader's own below when that differs. */
function OccurrenceTimes({ occurrence }: { readonly occurrence: NonNullable<ListedWindow["currentOrNext"]> }) {
  const times = useTimes();
  const { startsAt, endsAt, timeZone: zone } = occurrence;
  const text = (of: string) => `${times.instant(startsAt, of)}–${times.end(startsAt, endsAt, of)}`;
  const isSame = text(zone) === text(times.ownZone);
  return (
    <>
      <span>
        {text(zone)} {isSame ? null : <span className="quiet">{zone}</span>}
      </span>
      {isSame ? null : (
        <span className="quiet">
          {text(times.ownZone)} {times.ownZone}
        </span>
      )}
    </>
  );
}
