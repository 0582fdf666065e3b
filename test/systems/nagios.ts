import { constants, existsSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type NagiosCgiBridge, startNagiosCgiBridge } from "./nagios-cgi-bridge.js";
import { type Place, type ServerProcess, startServer } from "./server-process.js";

/** What a suite with a real Nagios needs. */
export const NAGIOS = {
  programs: ["nagios4", "/usr/lib/cgi-bin/nagios4/statusjson.cgi", "/usr/lib/nagios/plugins/check_dummy"],
  packages: "nagios4-core nagios4-cgi monitoring-plugins-basic",
};

/** A real Nagios 4 on loopback: hosts erp and shop (behind erp), services erp!orders-api (checked) and shop!passive-import (passive). */
export interface Nagios extends AsyncDisposable, Pick<ServerProcess, "start" | "stop" | "kill"> {
  /** The address of the CGIs. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** A user whom the CGIs know and show nothing. */
  readonly stranger: string;
  /** The command FIFO. */
  readonly commandFile: string;
  /** What its `erp!orders-api` says from the next check (each second) on: 0 ok, 1 warning, 2 critical, 3 unknown. */
  setOrdersApi(state: 0 | 1 | 2 | 3): Promise<void>;
  /** What a host of `switches` says, and with it those behind it, from their next check (each few seconds) on: 0 up, 2 down. */
  setSwitch(name: string, state: 0 | 2): Promise<void>;
  /** Writes a command as an operator at that machine would. */
  command(line: string): Promise<void>;
  /** Its web server, whose requests a test can keep waiting. */
  readonly bridge: NagiosCgiBridge;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

/** Hosts with others behind them: `name`, and `name-1` to `name-<behind>`, which are away when it is. */
export interface Switch {
  readonly name: string;
  readonly behind: number;
}

/** Starts Nagios in a folder of its own. `dateFormat` is nagios.cfg's. Daemon and CGIs live in UTC. */
export async function startNagios(
  options: { readonly dateFormat?: "us" | "euro" | "iso8601"; readonly switches?: readonly Switch[] } = {},
): Promise<Nagios> {
  const { dateFormat = "iso8601", switches = [] } = options;
  const credentials = { user: "quiesce", password: "nagios-pass", stranger: "stranger" };
  // As root it works under the user that Debian's package made for it.
  const owner = process.getuid?.() === 0 ? "nagios" : userInfo().username;
  const server = await startServer({
    name: "nagios",
    user: owner,
    prepare: (place) => writeFiles(place, { owner, dateFormat, switches, webUser: credentials.user }),
    command: ({ folder }) => ({ program: "nagios4", args: [join(folder, "nagios.cfg")], env: { TZ: "UTC" } }),
    ready: async ({ folder }) => ["status.dat", "rw/nagios.cmd"].every((name) => existsSync(join(folder, "var", name))),
  });
  const bridge = await startNagiosCgiBridge({
    cgiConfig: join(server.folder, "cgi.cfg"),
    accounts: new Map([
      [credentials.user, credentials.password],
      [credentials.stranger, credentials.password],
    ]),
  });
  const commandFile = join(server.folder, "var", "rw", "nagios.cmd");
  const nagios: Nagios = {
    ...credentials,
    url: bridge.url,
    bridge,
    commandFile,
    setOrdersApi: (state) => writeFile(join(server.folder, "orders-api"), String(state)),
    setSwitch: (name, state) => writeFile(join(server.folder, `switch-${name}`), String(state)),
    command: (line) => writeCommand(commandFile, line),
    start: () => server.start(),
    stop: () => server.stop(),
    kill: () => server.kill(),
    remove: async () => {
      await server.remove();
      await bridge.close();
    },
    [Symbol.asyncDispose]: () => nagios.remove(),
  };
  return nagios;
}

async function writeCommand(commandFile: string, line: string): Promise<void> {
  const fifo = await open(commandFile, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    await fifo.write(`[${Math.floor(Date.now() / 1_000)}] ${line}\n`);
  } finally {
    await fifo.close();
  }
}

async function writeFiles(
  { folder, run, write }: Place,
  options: { readonly owner: string; readonly dateFormat: string; readonly webUser: string; readonly switches: readonly Switch[] },
): Promise<void> {
  // Nagios makes no folders; as their owner, since it has to write in them.
  run("/bin/mkdir", ["-p", ...["rw", "spool/checkresults", "archives"].map((name) => join(folder, "var", name))]);
  await write("nagios.cfg", nagiosConfig(folder, options.owner, options.dateFormat));
  await write("cgi.cfg", cgiConfig(folder, options.webUser));
  await write("objects.cfg", `${objects(folder)}\n${switchObjects(folder, options.switches)}`);
  for (const { name } of options.switches) await write(`switch-${name}`, "0");
  await write("orders-api", "0");
}

function nagiosConfig(folder: string, user: string, dateFormat: string): string {
  const inVar = (name: string): string => join(folder, "var", name);
  return [
    `log_file=${inVar("nagios.log")}`,
    `cfg_file=${join(folder, "objects.cfg")}`,
    `object_cache_file=${inVar("objects.cache")}`,
    `precached_object_file=${inVar("objects.precache")}`,
    `status_file=${inVar("status.dat")}`,
    "status_update_interval=1",
    `nagios_user=${user}`,
    `nagios_group=${user}`,
    "check_external_commands=1",
    `command_file=${inVar("rw/nagios.cmd")}`,
    `query_socket=${inVar("rw/nagios.qh")}`,
    `lock_file=${inVar("nagios.lock")}`,
    `temp_file=${inVar("nagios.tmp")}`,
    `temp_path=${folder}/var`,
    `check_result_path=${inVar("spool/checkresults")}`,
    `log_archive_path=${inVar("archives")}`,
    `state_retention_file=${inVar("retention.dat")}`,
    "retain_state_information=1",
    "use_syslog=0",
    "interval_length=1",
    "execute_service_checks=1",
    "accept_passive_service_checks=1",
    "enable_notifications=1",
    "enable_environment_macros=0",
    "illegal_macro_output_chars=`~$&|'\"<>",
    `date_format=${dateFormat}`,
    "",
  ].join("\n");
}

function cgiConfig(folder: string, webUser: string): string {
  const rights = [
    "system_information",
    "configuration_information",
    "system_commands",
    "all_services",
    "all_hosts",
    "all_service_commands",
  ];
  return [
    `main_config_file=${join(folder, "nagios.cfg")}`,
    "physical_html_path=/usr/share/nagios4/htdocs",
    "url_html_path=/nagios4",
    "use_authentication=1",
    "default_user_name=",
    ...[...rights, "all_host_commands"].map((right) => `authorized_for_${right}=${webUser}`),
    "",
  ].join("\n");
}

const checked = ["check_period 24x7", "contacts ops", "notification_interval 60", "notification_period 24x7"];

function define(kind: string, lines: readonly string[]): string {
  return `define ${kind} {\n${lines.map((line) => ` ${line}`).join("\n")}\n}\n`;
}

function switchObjects(folder: string, switches: readonly Switch[]): string {
  if (switches.length === 0) return "";
  const host = (name: string, of: string, lines: readonly string[]): string =>
    define("host", [
      `host_name ${name}`,
      "address 127.0.0.1",
      ...lines,
      `check_command switch!${of}`,
      "max_check_attempts 1",
      "check_interval 5",
      ...checked,
    ]);
  return [
    define("command", ["command_name switch", `command_line /usr/lib/nagios/plugins/check_dummy $$(cat ${join(folder, "switch-$ARG1$")})`]),
    ...switches.flatMap(({ name, behind }) => [
      host(name, name, []),
      ...Array.from({ length: behind }, (_, n) => host(`${name}-${n + 1}`, name, [`parents ${name}`])),
    ]),
  ].join("\n");
}

/** `interval_length=1`: every interval is in seconds. */
function objects(folder: string): string {
  const week = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"].map((day) => `${day} 00:00-24:00`);
  const contact = ["host", "service"].flatMap((kind) => [`${kind}_notification_commands noop`, `${kind}_notification_period 24x7`]);
  return [
    define("timeperiod", ["timeperiod_name 24x7", "alias always", ...week]),
    define("command", ["command_name up", 'command_line /usr/lib/nagios/plugins/check_dummy 0 "up"']),
    define("command", ["command_name from_file", `command_line /usr/lib/nagios/plugins/check_dummy $$(cat ${join(folder, "orders-api")})`]),
    define("command", ["command_name noop", "command_line /bin/true"]),
    define("contact", ["contact_name ops", ...contact, "service_notification_options w,u,c,r", "host_notification_options d,u,r"]),
    define("host", ["host_name erp", "address 127.0.0.1", "check_command up", "max_check_attempts 1", "check_interval 5", ...checked]),
    define("host", [
      "host_name shop",
      "address 127.0.0.1",
      "parents erp",
      "check_command up",
      "max_check_attempts 1",
      "check_interval 5",
      ...checked,
    ]),
    define("service", [
      "host_name erp",
      "service_description orders-api",
      "check_command from_file",
      "max_check_attempts 3",
      "check_interval 1",
      "retry_interval 1",
      ...checked,
    ]),
    define("service", [
      "host_name shop",
      "service_description passive-import",
      "check_command up",
      "active_checks_enabled 0",
      "passive_checks_enabled 1",
      "max_check_attempts 1",
      ...checked,
    ]),
  ].join("\n");
}
