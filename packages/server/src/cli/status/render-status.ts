import { instantOf, instantOrNull } from "../operations/shapes.js";
import type { LiveEventAnswer, Status, StatusHold } from "../operations/status-operations.js";
import { formatCountdown, formatLength, formatLocalInstant, formatNearInstant, formatUntil } from "../output/format-time.js";
import { displayWidth, pad, plainText, truncate } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { runNote } from "../output/run-note.js";
import { styleOfState, type Styles } from "../output/styles.js";

/** How the view stands with the server. */
export type Link = { readonly kind: "live" } | { readonly kind: "reconnecting"; readonly since: number; readonly reason: string };

export interface StatusFrame {
  readonly status: Status;
  /** The newest last. */
  readonly events: readonly LiveEventAnswer[];
  /** undefined for a single look. */
  readonly link: Link | undefined;
  /** The server's time, in epoch ms. */
  readonly now: number;
  readonly url: string;
  readonly columns: number | undefined;
  /** undefined: everything is shown. */
  readonly rows: number | undefined;
  readonly styles: Styles;
}

const FEWEST_RUNS = 3;
const MOST_EVENTS = 8;
const MOST_ATTENTION = 3;
/** Below it, details give way to what matters. */
const NARROW = 60;

/** The status view as lines; with `rows` it never has more of them, with `columns` none is wider. */
export function renderStatus(frame: StatusFrame): readonly string[] {
  const { styles, rows } = frame;
  const head = [...headLines(frame), ...attentionLines(frame)];
  const holds = [...frame.status.activeHolds.map((hold) => holdLines(hold, frame)), ...resumingLines(frame).map((line) => [line])];
  const next = nextLine(frame);
  const foot = frame.link === undefined ? [] : [footLine(frame)];
  const runs = runLines(frame);
  const title = (text: string): string => styles.bold(truncate(text, frame.columns ?? text.length));
  if (rows === undefined) {
    return [
      ...head,
      "",
      title("HELD NOW"),
      ...(holds.length === 0 ? [nothingHeld(styles)] : holds.flat()),
      ...next,
      "",
      title("RECENT RUNS"),
      ...runs,
      ...foot,
    ];
  }
  // Runs keep a few lines whatever is held; what is held gets the rest, and what then is left goes to events.
  const fixed = head.length + 1 + 1 + next.length + 2 + foot.length;
  const forHolds = Math.max(1, rows - fixed - Math.min(runs.length, FEWEST_RUNS + 1));
  const shownHolds = holds.length === 0 ? [nothingHeld(styles)] : fitHolds(holds, forHolds, frame);
  const events = eventLines(frame);
  const afterHolds = Math.max(0, rows - fixed - shownHolds.length);
  const forEvents = Math.min(events.length, Math.max(0, afterHolds - Math.min(runs.length, FEWEST_RUNS + 3) - 2), MOST_EVENTS);
  const shownRuns = runs.slice(0, Math.max(0, afterHolds - (forEvents > 0 ? forEvents + 2 : 0)));
  const body = [
    ...head,
    "",
    title("HELD NOW"),
    ...shownHolds,
    ...next,
    "",
    title("RECENT RUNS"),
    ...shownRuns,
    ...(forEvents > 0 ? ["", title("EVENTS"), ...events.slice(-forEvents)] : []),
  ].slice(0, rows - foot.length);
  const filling = Array.from({ length: rows - foot.length - body.length }, () => "");
  return [...body, ...filling, ...foot];
}

/** What no hold shows any more: windows whose held runs are being let go. */
function resumingLines({ status, styles, columns }: StatusFrame): readonly string[] {
  return (status.resuming ?? []).map((one) =>
    styles.yellow(
      truncate(`  ${plainText(one.window.title)}  RESUMING  ${one.resume?.sentence ?? ""}`, columns ?? Number.MAX_SAFE_INTEGER),
    ),
  );
}

function headLines(frame: StatusFrame): readonly string[] {
  const { status, styles, columns } = frame;
  const mode = status.mode === "ENFORCE" ? styles.green("enforce") : styles.yellow("observe: nothing is held");
  const clock = formatLocalInstant(frame.now);
  const left = `${styles.bold("Quiesce")}  ${plainText(frame.url)}  ${mode}`;
  const plain = `Quiesce  ${plainText(frame.url)}  ${status.mode === "ENFORCE" ? "enforce" : "observe: nothing is held"}`;
  const room = columns === undefined ? undefined : columns - displayWidth(plain) - displayWidth(clock);
  const first =
    room === undefined
      ? `${left}  ${clock}`
      : room >= 2
        ? `${left}${" ".repeat(room)}${styles.dim(clock)}`
        : truncate(plain, columns ?? plain.length);
  const counts = status.runsByState.filter((one) => one.count > 0);
  const open = status.integrations - status.heldIntegrations;
  const parts: (readonly [string, string])[] = [
    [`${status.integrations} integration${status.integrations === 1 ? "" : "s"}: ${open} open, ${status.heldIntegrations} held`, ""],
    ...counts.map((one, index) => [`${index === 0 ? "runs: " : ""}${one.count} ${one.state.toLowerCase()}`, one.state] as const),
  ];
  return [first, ...flow(parts, columns, styles)];
}

/** Parts on one line while they fit, then on a second one. */
function flow(parts: readonly (readonly [string, string])[], columns: number | undefined, styles: Styles): readonly string[] {
  const lines: { plain: number; text: string }[] = [];
  for (const [text, state] of parts) {
    const shown = columns === undefined ? text : truncate(text, columns);
    const styled = state === "" ? shown : styles[styleOfState(state)](shown);
    const last = lines.at(-1);
    if (last === undefined || (columns !== undefined && last.plain + 3 + displayWidth(shown) > columns))
      lines.push({ plain: displayWidth(shown), text: styled });
    else {
      last.plain += 3 + displayWidth(shown);
      last.text += `   ${styled}`;
    }
  }
  return lines.slice(0, 3).map((line) => line.text);
}

/** What waits for somebody's decision. */
function attentionLines({ status, styles, columns }: StatusFrame): readonly string[] {
  return (status.freezeConflicts ?? [])
    .slice(0, MOST_ATTENTION)
    .map(({ sentence }) => styles.red(truncate(`! ${plainText(sentence)}`, columns ?? Number.MAX_SAFE_INTEGER)));
}

function nothingHeld(styles: Styles): string {
  return styles.green("  nothing");
}

/** A hold in two lines: what and until when; why, by whom and how far it is. */
function holdLines(hold: StatusHold, frame: StatusFrame): readonly string[] {
  const { styles, now } = frame;
  const columns = frame.columns ?? Number.MAX_SAFE_INTEGER;
  const until = untilText(hold, now);
  const state = stateOf(hold);
  const shortUntil =
    columns < NARROW ? until.replace(/^until .*\(in (.*)\)$/, "$1 left").replace("until somebody resumes it", "open end") : until;
  const titleRoom = columns - 2 - state.length - shortUntil.length - 4;
  const title = truncate(plainText(titleOf(hold)), Math.max(8, titleRoom));
  const first = `  ${styles.bold(title)}  ${styles[styleOfState(state)](state)}  ${shortUntil}`;
  const covers = hold.members.length;
  const parts = [
    `${covers} integration${covers === 1 ? "" : "s"}`,
    ...(hold.occurrence === null ? [] : [`${hold.occurrence.inFlight} in flight`, `${hold.occurrence.heldRuns} waiting`]),
    ...((hold.occurrence?.resume ?? null) === null ? [] : [hold.occurrence?.resume?.sentence ?? ""]),
    ...(hold.kind === "WINDOW" ? [hold.owner, hold.reason] : [`by ${hold.owner}`, `hold ${hold.key}`]),
  ];
  return [
    displayWidth(`  ${title}  ${state}  ${shortUntil}`) > columns ? truncate(`  ${title}  ${state}  ${shortUntil}`, columns) : first,
    styles.dim(truncate(`    ${plainText(parts.join(" · "))}`, columns)),
  ];
}

/** Until when; of a window that has reached its end and waits for its systems, since when. */
function untilText(hold: StatusHold, now: number): string {
  const expiresAt = instantOrNull(hold.expiresAt);
  const waits = hold.occurrence?.state === "VERIFYING" || hold.occurrence?.state === "OVERRUN";
  if (!waits || expiresAt === null || expiresAt > now) return formatUntil(expiresAt, now);
  return `ended ${formatNearInstant(expiresAt, now)} (${formatCountdown(now - expiresAt)} ago)`;
}

/** Every pause has the same title; its reason tells them apart. */
function titleOf(hold: StatusHold): string {
  return hold.kind === "WINDOW" ? hold.title : hold.reason;
}

function stateOf(hold: StatusHold): string {
  if (hold.mode === "OBSERVE") return "OBSERVE";
  if (hold.kind === "MANUAL") return "PAUSED";
  return hold.occurrence?.state ?? hold.kind;
}

function fitHolds(holds: readonly (readonly string[])[], room: number, frame: StatusFrame): readonly string[] {
  const all = holds.flat();
  if (all.length <= room) return all;
  const heads = holds.map((lines) => lines[0] ?? "");
  if (heads.length <= room) return heads;
  const more = `  and ${heads.length - room + 1} more; \`quiesce status\` lists all`;
  return [...heads.slice(0, room - 1), frame.styles.yellow(truncate(more, frame.columns ?? more.length))];
}

function nextLine(frame: StatusFrame): readonly string[] {
  const { nextOccurrence } = frame.status;
  if (nextOccurrence === null) return [];
  const startsAt = instantOf(nextOccurrence.startsAt);
  const left = startsAt > frame.now ? `in ${formatCountdown(startsAt - frame.now)}` : "now";
  const isUnapproved = nextOccurrence.state === "UNAPPROVED";
  const when = `${plainText(nextOccurrence.window.title)}, ${formatNearInstant(startsAt, frame.now)} (${left})`;
  const text = isUnapproved ? `UNAPPROVED, holds nothing: ${when}` : when;
  const shown = frame.columns === undefined ? text : truncate(text, frame.columns - 6);
  return ["", `${frame.styles.bold("NEXT")}  ${isUnapproved ? frame.styles.red(shown) : shown}`];
}

function runLines(frame: StatusFrame): readonly string[] {
  const { styles, now } = frame;
  const narrow = (frame.columns ?? NARROW) < NARROW;
  if (frame.status.recentRuns.length === 0) return ["  none yet"];
  return renderTable(
    [
      { title: "DUE", value: (run) => formatNearInstant(instantOf(run.dueAt), now) },
      { title: narrow ? "RUN" : "JOB", value: (run) => run.job?.key ?? run.integration.key, flexible: true },
      ...(narrow ? [] : [{ title: "INTEGRATION", value: (run: Status["recentRuns"][number]) => run.integration.key, flexible: true }]),
      { title: "STATE", value: (run) => run.state, style: (text, run) => styles[styleOfState(run.state)](text) },
      { title: "TOOK", value: (run) => (run.durationMs === null ? "" : formatLength(run.durationMs)), align: "right" },
      ...(narrow ? [] : [{ title: "NOTE", value: runNote, flexible: true }]),
    ],
    frame.status.recentRuns,
    { width: frame.columns === undefined ? undefined : frame.columns - 2, styles },
  ).map((line) => `  ${line}`);
}

function eventLines(frame: StatusFrame): readonly string[] {
  const columns = frame.columns ?? Number.MAX_SAFE_INTEGER;
  const kinds = Math.max(0, ...frame.events.map((event) => event.kind.length));
  return frame.events.map((event) => {
    // A run's own key is a number that says nothing to people.
    const subject = event.subjectKind === "run" ? (event.integrationKey ?? "") : `${event.subjectKind} ${event.subjectKey}`;
    return truncate(`  ${formatNearInstant(instantOf(event.at), frame.now)}  ${pad(event.kind, kinds)}  ${plainText(subject)}`, columns);
  });
}

function footLine(frame: StatusFrame): string {
  const { link, styles } = frame;
  if (link === undefined) return "";
  if (link.kind === "live") return styles.dim(truncate("live · q quits", frame.columns ?? 80));
  const text = `no contact for ${formatCountdown(Math.max(0, frame.now - link.since))}, trying again: ${plainText(link.reason)} · q quits`;
  return styles.red(truncate(text, frame.columns ?? text.length));
}
