import FullCalendar, { type CalendarOptions } from "@fullcalendar/react";
import dayGridPlugin from "@fullcalendar/react/daygrid";
import multiMonthPlugin from "@fullcalendar/react/multimonth";
import classicThemePlugin from "@fullcalendar/react/themes/classic";
import timeGridPlugin from "@fullcalendar/react/timegrid";
import esLocale from "@fullcalendar/react/locales/es";
import enLocale from "@fullcalendar/react/locales/en-gb";
import "@fullcalendar/react/skeleton.css";
import "@fullcalendar/react/themes/classic/theme.css";
import "@fullcalendar/react/themes/classic/palette.css";
import "./calendar.css";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Page } from "../components/page.js";
import { StatusGlyph } from "../components/status.js";
import { ErrorState } from "../components/states.js";
import { CalendarOccurrencesDocument, type CalendarOccurrencesQuery } from "./calendar.generated.js";
import { rangeOf, type Range, stepped } from "./calendar-range.js";
import { clockChangeOf, localAt } from "./clock-change.js";
import { type CalendarView, calendarViews } from "./calendar-views.js";
import { occurrenceStates, occurrenceTones } from "./state.js";
import { ZoneField } from "./zone-field.js";
import styles from "./windows.module.css";

type Occurrence = CalendarOccurrencesQuery["occurrences"]["nodes"][number];

const fullViews: { readonly [view in CalendarView]: string } = {
  day: "timeGridDay",
  week: "timeGridWeek",
  month: "dayGridMonth",
  quarter: "quarter",
};

/** Windows on a calendar, in any zone; what is seen is in the address. */
export function CalendarPage() {
  const intl = useIntl();
  const times = useTimes();
  const { view = "month", date, zone = times.ownZone } = useSearch({ from: "/calendar" });
  const navigate = useNavigate({ from: "/calendar" });
  const [today] = useState(() => localAt(Date.now(), zone).slice(0, 10));
  const shown = date ?? today;
  const range = useMemo(() => rangeOf(view, shown), [view, shown]);
  const go = (change: { readonly view?: CalendarView; readonly date?: string; readonly zone?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const words = intl.formatDateTimeRange(new Date(`${range.first}T00:00Z`), new Date(`${range.last}T00:00Z`), {
    timeZone: "UTC",
    dateStyle: "long",
  });
  const list = (
    <>
      <Link to="/windows" className="button">
        <FormattedMessage id="windows.list" />
      </Link>
      <Link to="/plan" className="button button-primary">
        <FormattedMessage id="windows.new" />
      </Link>
    </>
  );
  return (
    <Page title={intl.formatMessage({ id: "windows.calendar.title" }, { range: words })} actions={list}>
      <div className={styles["calendar-bar"]}>
        <div className={styles["views"]} role="group" aria-label={intl.formatMessage({ id: "windows.view" })}>
          {calendarViews.map((one) => (
            <Button key={one} aria-pressed={one === view} className={styles["view"]} onPress={() => go({ view: one })}>
              <FormattedMessage id={`windows.view.${one}`} />
            </Button>
          ))}
        </div>
        <div className={styles["views"]}>
          <Button onPress={() => go({ date: stepped(view, shown, -1) })}>
            <FormattedMessage id="windows.calendar.before" />
          </Button>
          <Button onPress={() => go({ date: today })}>
            <FormattedMessage id="windows.calendar.today" />
          </Button>
          <Button onPress={() => go({ date: stepped(view, shown, 1) })}>
            <FormattedMessage id="windows.calendar.after" />
          </Button>
        </div>
        <ZoneField
          key={zone}
          label={intl.formatMessage({ id: "windows.calendar.zone" })}
          value={zone}
          onChange={(chosen) => go({ zone: chosen })}
        />
      </div>
      <Drawn view={view} date={shown} zone={zone} range={range} onOpen={(key) => void navigate({ to: "/windows/$key", params: { key } })} />
    </Page>
  );
}

const DAY_MS = 86_400_000;
/** Windows that began before are asked for so far back. */
const LOOK_BACK_MS = 7 * DAY_MS;
/** Around the named days a month shows some more, and zones differ by a day. */
const AROUND_MS = 8 * DAY_MS;

function Drawn({
  view,
  date,
  zone,
  range,
  onOpen,
}: {
  readonly view: CalendarView;
  readonly date: string;
  readonly zone: string;
  readonly range: Range;
  readonly onOpen: (key: string) => void;
}) {
  const intl = useIntl();
  const times = useTimes();
  const variables = useMemo(
    () => ({
      from: new Date(Date.parse(`${range.first}T00:00Z`) - AROUND_MS - LOOK_BACK_MS).toISOString(),
      to: new Date(Date.parse(`${range.last}T00:00Z`) + AROUND_MS).toISOString(),
    }),
    [range],
  );
  const frame = useRef<HTMLDivElement>(null);
  const drawn = `${view} ${range.first} ${zone} ${intl.locale}`;
  useEffect(() => {
    if (frame.current !== null) scrollToDay(frame.current, localAt(Date.now(), zone).slice(0, 10));
  }, [drawn, zone]);
  const { data, refusal, again } = useLiveQuery(CalendarOccurrencesDocument, variables, { kinds: ["window.*", "catalogue.applied"] });
  const options: CalendarOptions = {
    plugins: [timeGridPlugin, dayGridPlugin, multiMonthPlugin, classicThemePlugin],
    locale: intl.locale.startsWith("es") ? esLocale : enLocale,
    // The locale's own crashes in a view of several months.
    todayHint: () => intl.formatMessage({ id: "windows.calendar.today" }),
    views: { quarter: { type: "multiMonth", duration: { months: 3 } } },
    initialView: fullViews[view],
    initialDate: view === "quarter" ? range.first : date,
    timeZone: zone,
    headerToolbar: false,
    firstDay: 1,
    allDaySlot: false,
    nowIndicator: true,
    dayMaxEvents: 4,
    height: "auto",
    eventTimeFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
    events: (data?.occurrences.nodes ?? []).map((occurrence) => eventOf(occurrence, textOf(occurrence))),
    eventContent: ({ event, timeText }) => <EventText title={event.title} time={timeText} state={event.extendedProps["state"]} />,
    eventInteractive: true,
    eventClick: ({ event, jsEvent }) => {
      jsEvent.preventDefault();
      const key: unknown = event.extendedProps["window"];
      if (typeof key === "string") onOpen(key);
    },
  };
  function textOf(occurrence: Occurrence): string {
    const change = clockChangeOf(occurrence, occurrence.timeZone);
    const note =
      change === null ? "" : ` · ${intl.formatMessage({ id: "windows.calendar.length" }, { length: times.length(change.lengthMs) })}`;
    const ownTimes = occurrence.timeZone === zone ? "" : ` · ${occurrence.localStart.slice(11, 16)} ${occurrence.timeZone}`;
    return `${occurrence.window.title}${ownTimes}${note}`;
  }
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {data?.occurrences.pageInfo.hasNextPage === true ? (
        <p className="quiet">
          <FormattedMessage id="windows.calendar.truncated" />
        </p>
      ) : null}
      <div
        ref={frame}
        className={`${styles["calendar"]} drawn-calendar`}
        tabIndex={0}
        role="region"
        aria-label={intl.formatMessage({ id: "windows.calendar" })}
      >
        <FullCalendar key={drawn} {...options} />
      </div>
    </>
  );
}

/** On a phone a week is wider than its frame: today is what is seen first, in the middle where there is room. */
function scrollToDay(frame: HTMLElement, day: string): void {
  const cell = frame.querySelector(`[data-date="${day}"]`);
  if (cell === null) return;
  const [box, around] = [cell.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollLeft += box.left + box.width / 2 - (around.left + around.width / 2);
}

function eventOf({ id, startsAt, endsAt, window, state }: Occurrence, title: string) {
  return {
    id,
    title,
    start: startsAt,
    end: endsAt,
    url: `/windows/${encodeURIComponent(window.key)}`,
    className: `event event-${occurrenceTones[state]}`,
    extendedProps: { window: window.key, state },
  };
}

/** What an event shows: its state by a glyph, and by a word for who cannot see the glyph; when, and which window. */
function EventText({ title, time, state }: { readonly title: string; readonly time: string; readonly state: unknown }) {
  const { formatMessage } = useIntl();
  const known = occurrenceStates.find((one) => one === state);
  return (
    <span className={styles["event"]}>
      {known === undefined ? null : (
        <>
          <StatusGlyph tone={occurrenceTones[known]} />
          <span className="hidden">{formatMessage({ id: `now.state.${known}` })}</span>
        </>
      )}{" "}
      {time} {title}
    </span>
  );
}
