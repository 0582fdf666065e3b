import { ConnectorError, z, type Downtime, type RemoteDowntime } from "@quiesce/sdk";
import { parseAnswer, send, type AlertmanagerContext } from "./alertmanager-request.js";
import { matcherSchema, matchersOf, resourcesOf, sameMatchers, type Matcher } from "./silence-matchers.js";

const WINDOW_ID = /^[^\]\s]{1,300}$/u;
const OUR_COMMENT = /^\[quiesce ([^\]\s]{1,300})\] ?(.*)$/su;
const TITLE_CHARACTERS = 500;

const silenceSchema = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(["expired", "active", "pending"]) }),
  matchers: z.array(matcherSchema),
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.iso.datetime({ offset: true }),
  createdBy: z.string().default(""),
  comment: z.string().default(""),
});
type Silence = z.output<typeof silenceSchema>;
const createdSchema = z.object({ silenceID: z.string() });

/** One silence for each label the resources are named by. What stands is kept or put right in its place; what is too much is expired afterwards. */
export async function announceSilences(x: AlertmanagerContext, downtime: Downtime): Promise<{ readonly ids: readonly string[] }> {
  requireWindowId(downtime.windowId);
  const ours = (await standingSilences(x)).filter((one) => windowIdOf(one) === downtime.windowId);
  const left = new Set(ours);
  const ids: string[] = [];
  for (const matcher of matchersOf(downtime.resources, x.config.resourceLabel)) {
    const alike = [...left].filter((one) => sameMatchers(one.matchers, [matcher]));
    const fitting = alike.find((one) => hasTimes(x, one, downtime));
    const standing = fitting ?? alike[0];
    if (standing !== undefined) left.delete(standing);
    ids.push(fitting?.id ?? (await postSilence(x, { downtime, matcher, id: standing?.id })));
  }
  for (const one of left) await expireSilence(x, one.id);
  return { ids };
}

/** Expires the silences of a window. Expired ones stay listed by Alertmanager for five days; they silence nothing. */
export async function withdrawSilences(x: AlertmanagerContext, windowId: string): Promise<void> {
  requireWindowId(windowId);
  for (const one of await standingSilences(x)) if (windowIdOf(one) === windowId) await expireSilence(x, one.id);
}

/** Silences that are or will be in effect, ours and theirs. */
export async function listSilences(x: AlertmanagerContext): Promise<readonly RemoteDowntime[]> {
  return (await standingSilences(x)).map((one) => {
    const [, windowId, title] = OUR_COMMENT.exec(one.comment) ?? [];
    return {
      id: one.id,
      ...(windowId === undefined ? {} : { windowId }),
      start: new Date(one.startsAt).toISOString(),
      end: new Date(one.endsAt).toISOString(),
      resources: resourcesOf(one.matchers, x.config.resourceLabel),
      title: title ?? one.comment,
      ...(one.createdBy === "" ? {} : { author: one.createdBy }),
    };
  });
}

async function standingSilences(x: AlertmanagerContext): Promise<readonly Silence[]> {
  const text = await send(x, x.config.url, "/api/v2/silences");
  return parseAnswer(z.array(silenceSchema), text, "GET /api/v2/silences").filter((one) => one.status.state !== "expired");
}

/** A start in the past is moved to the moment of the request, so of two that have begun the end alone tells. */
function hasTimes(x: AlertmanagerContext, silence: Silence, { start, end }: Downtime): boolean {
  if (Date.parse(silence.endsAt) !== Date.parse(end)) return false;
  const nowMs = x.clock.now().getTime();
  const [found, wanted] = [Date.parse(silence.startsAt), Date.parse(start)];
  return found === wanted || (wanted <= nowMs && silence.status.state === "active");
}

async function postSilence(
  x: AlertmanagerContext,
  wanted: { readonly downtime: Downtime; readonly matcher: Matcher; readonly id: string | undefined },
): Promise<string> {
  const { downtime, matcher, id } = wanted;
  const body = {
    ...(id === undefined ? {} : { id }),
    matchers: [matcher],
    startsAt: downtime.start,
    endsAt: downtime.end,
    createdBy: x.config.author,
    comment: `[quiesce ${downtime.windowId}] ${downtime.title.slice(0, TITLE_CHARACTERS)}`.trim(),
  };
  const text = await send(x, x.config.url, "/api/v2/silences", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return parseAnswer(createdSchema, text, "POST /api/v2/silences").silenceID;
}

async function expireSilence(x: AlertmanagerContext, id: string): Promise<void> {
  try {
    await send(x, x.config.url, `/api/v2/silence/${encodeURIComponent(id)}`, { method: "DELETE", alsoOk: [404] });
  } catch (error) {
    // Somebody else was quicker: then it is as it should be.
    if (error instanceof ConnectorError && /already expired/u.test(error.message)) return;
    throw error;
  }
}

function windowIdOf(silence: Silence): string | undefined {
  return OUR_COMMENT.exec(silence.comment)?.[1];
}

function requireWindowId(windowId: string): void {
  if (WINDOW_ID.test(windowId)) return;
  throw new ConnectorError("invalid", "A window's id has at most 300 characters in a silence, no space and no bracket among them.", {
    field: "windowId",
  });
}
