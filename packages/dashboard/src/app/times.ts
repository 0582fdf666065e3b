import { useEffect, useMemo, useState } from "react";
import { useIntl } from "react-intl";

/** Texts of instants and lengths in the language of the page, 24 h. Instants are ISO text as the API sends it, or epoch milliseconds. */
export interface Times {
  /** The zone of the reader's browser. */
  readonly ownZone: string;
  /** 02:00, with the day when that is not today: Sun 22 Nov 02:00. */
  instant(at: string | number, zone?: string): string;
  /** 02:00 */
  clock(at: string | number, zone?: string): string;
  /** When what began then ends: 06:00, with the day when it lasts a day or longer. */
  end(start: string | number, at: string | number, zone?: string): string;
  /** 10:41:07 */
  clockWithSeconds(at: string | number, zone?: string): string;
  /** Sunday, 22 November 2026 at 02:00 */
  full(at: string | number, zone?: string): string;
  /** Sunday 22 November */
  day(at: string | number, zone?: string): string;
  /** 2 d 4 h; 3 min; 12 s. */
  length(ms: number): string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function useTimes(): Times {
  const { locale } = useIntl();
  return useMemo(() => timesOf(locale), [locale]);
}

export function timesOf(locale: string, ownZone = new Intl.DateTimeFormat().resolvedOptions().timeZone): Times {
  const formats = new Map<string, Intl.DateTimeFormat>();
  const format = (at: string | number, timeZone: string, options: Intl.DateTimeFormatOptions): string => {
    const key = JSON.stringify([timeZone, options]);
    const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, { timeZone, hourCycle: "h23", ...options });
    formats.set(key, known);
    return known.format(new Date(at));
  };
  const clock = (at: string | number, zone = ownZone) => format(at, zone, { hour: "2-digit", minute: "2-digit" });
  const shortDay = (at: string | number, zone: string) => format(at, zone, { weekday: "short", day: "numeric", month: "short" });
  const dayOf = (at: string | number, zone: string) => format(at, zone, { year: "numeric", month: "2-digit", day: "2-digit" });
  return {
    ownZone,
    clock,
    clockWithSeconds: (at, zone = ownZone) => format(at, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    instant(at, zone = ownZone) {
      if (dayOf(at, zone) === dayOf(Date.now(), zone)) return clock(at, zone);
      return `${shortDay(at, zone)} ${clock(at, zone)}`;
    },
    end(start, at, zone = ownZone) {
      const isLong = new Date(at).getTime() - new Date(start).getTime() >= DAY_MS;
      return isLong ? `${shortDay(at, zone)} ${clock(at, zone)}` : clock(at, zone);
    },
    full: (at, zone = ownZone) => format(at, zone, { dateStyle: "full", timeStyle: "short" }),
    day: (at, zone = ownZone) => format(at, zone, { weekday: "long", day: "numeric", month: "long" }),
    length: lengthText,
  };
}

/** The two largest units, as 2 d 4 h: the units are the same in both languages. */
export function lengthText(ms: number): string {
  const abs = Math.abs(ms);
  if (abs < MINUTE_MS) return `${Math.round(abs / 1_000)} s`;
  if (abs < HOUR_MS) return `${Math.round(abs / MINUTE_MS)} min`;
  const [large, small, names] = abs < DAY_MS ? [HOUR_MS, MINUTE_MS, ["h", "min"]] : [DAY_MS, HOUR_MS, ["d", "h"]];
  const rounded = Math.round(abs / small) * small;
  const rest = Math.round((rounded % large) / small);
  return `${Math.floor(rounded / large)} ${names[0]}${rest === 0 ? "" : ` ${rest} ${names[1]}`}`;
}

/** The present, told again every so often. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
