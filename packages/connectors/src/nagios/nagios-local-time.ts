/** How nagios.cfg's `date_format` writes a time. */
export type NagiosDateFormat = "us" | "euro" | "iso8601" | "strict-iso8601";

/** The formats that a time as cmd.cgi shows it may be of: by day and month alone nobody can tell American from European. */
export function dateFormatsOf(shown: string): readonly NagiosDateFormat[] {
  if (/^\d{4}-\d\d-\d\dT/u.test(shown)) return ["strict-iso8601"];
  if (/^\d{4}-\d\d-\d\d /u.test(shown)) return ["iso8601"];
  return /^\d\d-\d\d-\d{4} /u.test(shown) ? ["us", "euro"] : [];
}

/** Such a time as `YYYY-MM-DD HH:MM:SS`, which can be compared. */
export function sortableTime(shown: string, format: NagiosDateFormat): string {
  const [a = "", b = "", c = "", time = ""] = shown.split(/[-T ]/u);
  if (format === "us") return `${c}-${a}-${b} ${time}`;
  return format === "euro" ? `${c}-${b}-${a} ${time}` : `${a}-${b}-${c} ${time}`;
}

/** An instant as cmd.cgi takes it: local time of Nagios's machine, to the second. */
export function localTime(instantMs: number, options: { readonly timeZone: string; readonly format: NagiosDateFormat }): string {
  const parts = new Map(
    new Intl.DateTimeFormat("en-GB", {
      timeZone: options.timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    })
      .formatToParts(instantMs)
      .map((part) => [part.type, part.value]),
  );
  const of = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? "";
  const time = `${of("hour")}:${of("minute")}:${of("second")}`;
  switch (options.format) {
    case "us":
      return `${of("month")}-${of("day")}-${of("year")} ${time}`;
    case "euro":
      return `${of("day")}-${of("month")}-${of("year")} ${time}`;
    case "iso8601":
      return `${of("year")}-${of("month")}-${of("day")} ${time}`;
    case "strict-iso8601":
      return `${of("year")}-${of("month")}-${of("day")}T${time}`;
  }
}
