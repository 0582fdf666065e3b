import { ConnectorError } from "@quiesce/sdk";
import { writeCommandFile } from "./command-file.js";
import { submitCommandForm } from "./command-form.js";
import { localTime, type NagiosDateFormat } from "./nagios-local-time.js";
import type { NagiosObject } from "./nagios-name.js";
import type { NagiosContext } from "./nagios-query.js";

/** An external command. Instants are epoch milliseconds; Nagios keeps whole seconds. */
export type NagiosCommand =
  | {
      readonly kind: "schedule-downtime";
      readonly object: NagiosObject;
      readonly startMs: number;
      readonly endMs: number;
      readonly comment: string;
    }
  | { readonly kind: "delete-downtime"; readonly type: "host" | "service"; readonly id: number }
  | { readonly kind: "acknowledge"; readonly object: NagiosObject; readonly comment: string };

/** Commands of one call: a form each, so that one window cannot keep the endpoint for minutes. */
const MAX_COMMANDS = 1_000;

/** Gives Nagios commands, by its FIFO where there is one, else by cmd.cgi. It answers neither with whether they were carried out. */
export async function sendCommands(x: NagiosContext, commands: readonly NagiosCommand[]): Promise<void> {
  if (commands.length === 0) return;
  if (commands.length > MAX_COMMANDS) {
    throw new ConnectorError("invalid", `That would be ${commands.length} commands to Nagios, at most ${MAX_COMMANDS} go at once.`, {
      field: "resources",
    });
  }
  const { commandFile, user } = x.config;
  if (commandFile === undefined)
    return submitCommandForm(
      x,
      commands.map((one) => (format) => formFields(x, one, format)),
    );
  const epoch = Math.floor(x.clock.now().getTime() / 1_000);
  await writeCommandFile(
    commandFile,
    commands.map((one) => `[${epoch}] ${commandLine(one, user)}`),
  );
}

/** A text that Nagios gives back as it was: a semicolon ends a field, and CGIs without a UTF-8 locale show a comment beyond ASCII as an empty one. */
export function commentText(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/\p{M}+/gu, "")
    .replaceAll(/\p{Pd}/gu, "-")
    .replaceAll(/[\p{Cc};]+/gu, " ")
    .replaceAll(/[^ -~]/gu, "?")
    .replaceAll(/ +/gu, " ")
    .trim();
}

function commandLine(command: NagiosCommand, author: string): string {
  switch (command.kind) {
    case "schedule-downtime": {
      const { host, service } = command.object;
      const [start, end] = [Math.floor(command.startMs / 1_000), Math.floor(command.endMs / 1_000)];
      const times = `${start};${end};1;0;${end - start};${author};${command.comment}`;
      return service === undefined ? `SCHEDULE_HOST_DOWNTIME;${host};${times}` : `SCHEDULE_SVC_DOWNTIME;${host};${service};${times}`;
    }
    case "delete-downtime":
      return `${command.type === "host" ? "DEL_HOST_DOWNTIME" : "DEL_SVC_DOWNTIME"};${command.id}`;
    case "acknowledge": {
      const { host, service } = command.object;
      const how = `1;0;1;${author};${command.comment}`;
      return service === undefined ? `ACKNOWLEDGE_HOST_PROBLEM;${host};${how}` : `ACKNOWLEDGE_SVC_PROBLEM;${host};${service};${how}`;
    }
  }
}

/** The numbers are those of Nagios's include/common.h. */
function formFields(x: NagiosContext, command: NagiosCommand, format: NagiosDateFormat): Readonly<Record<string, string>> {
  switch (command.kind) {
    case "schedule-downtime": {
      const { host, service } = command.object;
      const at = (instantMs: number): string => localTime(instantMs, { timeZone: x.config.timeZone, format });
      return {
        cmd_typ: service === undefined ? "55" : "56",
        host,
        ...(service === undefined ? { childoptions: "0" } : { service }),
        com_data: command.comment,
        trigger: "0",
        start_time: at(command.startMs),
        end_time: at(command.endMs),
        fixed: "1",
        hours: "0",
        minutes: "0",
      };
    }
    case "delete-downtime":
      return { cmd_typ: command.type === "host" ? "78" : "79", down_id: String(command.id) };
    case "acknowledge": {
      const { host, service } = command.object;
      return {
        cmd_typ: service === undefined ? "33" : "34",
        host,
        ...(service === undefined ? {} : { service }),
        sticky_ack: "on",
        persistent: "on",
        com_data: command.comment,
      };
    }
  }
}
