import { type IntlShape, useIntl } from "react-intl";
import { type Times, useNow, useTimes } from "../app/times.js";
import { type ActiveHold, type Cause, lastEnd, notReady, type OpenOccurrence } from "./summary.js";

interface Speaking {
  readonly intl: Pick<IntlShape, "formatMessage">;
  readonly times: Times;
  readonly now: number;
}

export function useCauseSentence(cause: Cause): string {
  const intl = useIntl();
  const times = useTimes();
  const now = useNow();
  return causeSentence(cause, { intl, times, now });
}

/** One cause in one sentence: what, until when, and whether work may begin. */
export function causeSentence(cause: Cause, speaking: Speaking): string {
  switch (cause.kind) {
    case "hold":
      return holdSentence(cause.hold, speaking);
    case "resume":
      return resumeSentence(cause.occurrence, speaking);
    case "failure": {
      const { integrations: count, message, since } = cause.failure;
      const text = /[.!?…]$/.test(message) ? message : `${message}.`;
      return speaking.intl.formatMessage({ id: "now.cause.failing" }, { count, message: text, since: speaking.times.instant(since) });
    }
  }
}

function holdSentence(hold: ActiveHold, speaking: Speaking): string {
  const { intl, times } = speaking;
  const { occurrence, title, owner, expiresAt, reason } = hold;
  if (occurrence === null) {
    const values = { owner, reason, until: expiresAt === null ? "none" : times.instant(expiresAt) };
    return intl.formatMessage({ id: `now.cause.${hold.kind}` }, values);
  }
  const { timeZone, endsAt, heldRuns } = occurrence;
  switch (occurrence.state) {
    case "DRAINING": {
      const last = lastEnd(occurrence);
      const values = {
        title,
        count: occurrence.inFlight,
        last: last === null ? "none" : withZone(times.clock(last, timeZone), timeZone, times),
      };
      return intl.formatMessage({ id: "now.cause.draining" }, values);
    }
    case "QUIESCED":
      return intl.formatMessage(
        { id: "now.cause.quiesced" },
        { title, since: instantIn(occurrence.quiescedAt ?? occurrence.startsAt, timeZone, times) },
      );
    case "VERIFYING":
      return intl.formatMessage({ id: "now.cause.verifying" }, { title, error: notReady(occurrence) ?? "none" });
    case "OVERRUN":
      return intl.formatMessage(
        { id: "now.cause.overrun" },
        { title, error: notReady(occurrence) ?? "none", owner: occurrence.window.owner },
      );
    default:
      return intl.formatMessage(
        { id: "now.cause.held" },
        { title, until: instantIn(expiresAt ?? endsAt, timeZone, times), runs: heldRuns },
      );
  }
}

function instantIn(at: string, zone: string, times: Times): string {
  return withZone(times.instant(at, zone), zone, times);
}

/** A time that is not the reader's own says whose it is. */
function withZone(text: string, zone: string, { ownZone }: Times): string {
  return zone === ownZone ? text : `${text} ${zone}`;
}

function resumeSentence({ resume, window }: OpenOccurrence, { intl, now, times }: Speaking): string {
  const { title } = window;
  if (resume?.phase === "REHELD") return intl.formatMessage({ id: "now.cause.rehold" }, { title });
  const endsAt = resume?.endsAt ?? null;
  const left = endsAt === null ? "none" : times.length(Math.max(1_000, Date.parse(endsAt) - now));
  return intl.formatMessage({ id: "now.cause.resuming" }, { title, released: resume?.released ?? 0, total: resume?.total ?? 0, left });
}
