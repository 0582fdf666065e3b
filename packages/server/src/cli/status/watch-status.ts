import { isatty } from "node:tty";
import type { Cli } from "../cli.js";
import type { GraphqlClient } from "../graphql-client.js";
import { instantOf } from "../operations/shapes.js";
import { type LiveEventAnswer, readStatus, type Status } from "../operations/status-operations.js";
import { type Link, renderStatus } from "./render-status.js";
import { followStatus } from "./status-feed.js";
import { openScreen } from "./status-screen.js";

const KEPT_EVENTS = 50;
/** Countdowns move by seconds. */
const REDRAW_MS = 1_000;
const DEFAULT_ROWS = 24;
const DEFAULT_COLUMNS = 80;

/** The live view, until q or Ctrl-C. Throws CliError when no server answers at the first look or the token is refused. */
export async function watchStatusView(cli: Cli, api: GraphqlClient): Promise<void> {
  let status: Status = (await api.request(readStatus)).statusSummary;
  let skewMs = instantOf(status.at) - cli.clock.wallMs();
  let events: readonly LiveEventAnswer[] = [];
  let link: Link = { kind: "live" };
  const stop = new AbortController();
  const screen = openScreen(cli.out);
  const draw = (options = { fresh: false }): void => {
    const columns = cli.out.columns() ?? DEFAULT_COLUMNS;
    const rows = cli.out.rows() ?? DEFAULT_ROWS;
    screen.draw(
      renderStatus({
        status,
        events,
        link,
        now: cli.clock.wallMs() + skewMs,
        url: api.connection.url,
        columns,
        rows,
        styles: cli.out.styles,
      }),
      options,
    );
  };
  const drawResized = (): void => draw({ fresh: true });
  const stopKeys = listenForQuit(() => stop.abort());
  const timer = setInterval(() => draw(), REDRAW_MS);
  process.stdout.on("resize", drawResized);
  try {
    draw();
    await followStatus({
      api,
      clock: cli.clock,
      signal: stop.signal,
      listener: {
        onStatus: (next) => {
          status = next;
          skewMs = instantOf(next.at) - cli.clock.wallMs();
          draw();
        },
        onEvent: (event) => {
          events = [...events, event].slice(-KEPT_EVENTS);
          draw();
        },
        onTrouble: (reason) => {
          if (reason === null) link = { kind: "live" };
          else link = { kind: "reconnecting", since: link.kind === "reconnecting" ? link.since : cli.clock.wallMs() + skewMs, reason };
          draw();
        },
      },
    });
  } finally {
    clearInterval(timer);
    process.stdout.off("resize", drawResized);
    stopKeys();
    screen.close();
  }
}

/** One JSON document a line for every change, for programs. */
export async function watchStatusJson(cli: Cli, api: GraphqlClient): Promise<void> {
  const stop = new AbortController();
  const stopKeys = listenForQuit(() => stop.abort());
  try {
    await followStatus({
      api,
      clock: cli.clock,
      signal: stop.signal,
      listener: {
        onStatus: (status) => cli.out.write(`${JSON.stringify({ status })}\n`),
        onEvent: (event) => cli.out.write(`${JSON.stringify({ event })}\n`),
        onTrouble: (reason) => {
          if (reason !== null) cli.err.write(`quiesce: ${reason}; trying again\n`);
        },
      },
    });
  } finally {
    stopKeys();
  }
}

/** Calls back on q, Ctrl-C, and when somebody asks the process to end. */
function listenForQuit(quit: () => void): () => void {
  const { stdin } = process;
  const raw = isatty(0);
  const onKey = (key: Buffer): void => {
    const text = key.toString("latin1");
    if (text.includes("q") || text.includes("Q") || text.includes("\u0003")) quit();
  };
  if (raw) {
    stdin.setRawMode(true);
    stdin.on("data", onKey);
    stdin.resume();
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, quit);
  return () => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, quit);
    if (!raw) return;
    stdin.off("data", onKey);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
