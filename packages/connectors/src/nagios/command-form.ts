import { ConnectorError, readText } from "@quiesce/sdk";
import { dateFormatsOf, localTime, sortableTime, type NagiosDateFormat } from "./nagios-local-time.js";
import { send, type NagiosContext } from "./nagios-query.js";

/** A form is asked for and sent back; its time may differ from ours by this much before the zone counts as wrong. */
const CLOCK_TOLERANCE_MS = 300_000;
/** One of the forms with times in it; the token is good for the others too. */
const DOWNTIME_FORM = "/cmd.cgi?cmd_typ=55&cmd_mod=1";

/** The fields of one command, once it is known how the form writes times. */
export type FormFields = (format: NagiosDateFormat) => Readonly<Record<string, string>>;

/** Submits commands by cmd.cgi: takes a form for its token (the same as cookie and as field), then posts each command with it. */
export async function submitCommandForm(x: NagiosContext, commands: readonly FormFields[]): Promise<void> {
  const form = await readText(await send(x, DOWNTIME_FORM), x.signal);
  const token = /name=['"]nagFormId['"] +value=['"]([0-9a-f]+)['"]/iu.exec(form)?.[1];
  if (token === undefined) throw formError(form, false);
  const format = dateFormatOf(x, form);
  for (const [index, fields] of commands.entries()) {
    const body = new URLSearchParams({ cmd_mod: "2", nagFormId: token, ...fields(format), btnSubmit: "Commit" });
    const response = await send(x, "/cmd.cgi", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", cookie: `NagFormId=${token}` },
      body: body.toString(),
    });
    const page = await readText(response, x.signal);
    if (!page.includes("successfully submitted")) throw formError(page, index > 0);
  }
}

/**
 * The format of times. The form shows Nagios's own local time, so a zone that is not that of its machine is found here: with it every downtime would be
 * hours off.
 */
function dateFormatOf(x: NagiosContext, form: string): NagiosDateFormat {
  const shown = /name=['"]start_time['"] +value=['"]([^'"]+)['"]/iu.exec(form)?.[1] ?? "";
  const possible = dateFormatsOf(shown);
  const [first] = possible;
  if (first === undefined) throw new ConnectorError("contract", `The form of cmd.cgi shows no time that we know: "${shown.slice(0, 40)}".`);
  const { timeZone, dateFormat } = x.config;
  const nowMs = x.clock.now().getTime();
  const text = (instantMs: number): string => localTime(instantMs, { timeZone, format: "iso8601" });
  const [earliest, latest] = [text(nowMs - CLOCK_TOLERANCE_MS), text(nowMs + CLOCK_TOLERANCE_MS)];
  // While the clocks go back the later text sorts first, and nothing can be said.
  const isNow = (format: NagiosDateFormat): boolean => {
    const found = sortableTime(shown, format);
    return earliest > latest || (found >= earliest && found <= latest);
  };
  const fitting = possible.filter((format) => isNow(format) && (dateFormat === undefined || format === dateFormat));
  const [only, other] = fitting;
  if (only === undefined) {
    const expected = localTime(nowMs, { timeZone, format: dateFormat ?? first });
    throw new ConnectorError(
      "config",
      `Nagios's local time is ${shown}, but in the zone ${timeZone} it is ${expected}. Set timeZone to the zone of Nagios's machine, or correct its clock.`,
      { field: "timeZone" },
    );
  }
  if (other !== undefined) {
    throw new ConnectorError(
      "config",
      `Nagios's time ${shown} may be American or European today. Set dateFormat as date_format is in nagios.cfg.`,
      {
        field: "dateFormat",
      },
    );
  }
  return only;
}

function formError(page: string, isAmbiguous: boolean): ConnectorError {
  const said = (/class=['"]errorMessage['"][^>]*>(.*?)<\/div>/isu.exec(page)?.[1] ?? page)
    .replaceAll(/<[^>]*>/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim()
    .slice(0, 200);
  const info = isAmbiguous ? { ambiguous: true } : {};
  if (/not authorized/iu.test(page)) return new ConnectorError("permission", `Nagios does not let this user send commands: ${said}`, info);
  if (/external commands/iu.test(page) && /not|disabled/iu.test(page))
    return new ConnectorError("config", `Nagios takes no commands (check_external_commands): ${said}`, info);
  if (/could not (?:stat|open)|an error occurred while attempting to commit/iu.test(page))
    return new ConnectorError("unavailable", `Nagios could not take the command: ${said}`, info);
  return new ConnectorError("contract", `cmd.cgi did not take the command: ${said}`, info);
}
