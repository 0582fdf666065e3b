import { appendFile } from "node:fs/promises";
import { clock } from "../clock.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Database } from "../db/client.js";
import type { Log } from "../log.js";
import { checkChain } from "./check-chain.js";
import { publishHead, signedHead } from "./publish-head.js";
import { sealEntries } from "./seal-entries.js";

const sealEveryMs = 1_000;
const checkEveryMs = 60_000;
/** While the database does not answer it is asked less often. */
const restMs = 5_000;

/**
 * Seals the audit trail, checks it and hands out its head until the answered function is called. Several servers may do so at once. It is no pass of the
 * scheduler: those stop when the database's clock jumps, and that is a moment whose trail is wanted.
 */
export function followAudit(
  context: { readonly database: Database; readonly keys: KeyRing; readonly log: Log },
  options: { readonly headFile?: string | undefined; readonly headEveryMs: number; readonly afterWrite?: () => void },
) {
  const { log } = context;
  const stop = new AbortController();
  const heads = createHeadFile(context, options);
  let checksAtMs = clock.monotonicMs() + checkEveryMs;
  let restsUntilMs = Number.NEGATIVE_INFINITY;
  let busy: Promise<void> | null = null;

  const work = async (): Promise<void> => {
    for (let more = true; more && !stop.signal.aborted;) {
      const result = await sealEntries(context);
      more = result.more;
      if (result.late > 0)
        log.error({ late: result.late }, "Audit entries appeared long after their own time: somebody inserted them by hand.");
    }
    if (stop.signal.aborted) return;
    await publishHead(context, options.headEveryMs);
    await heads();
    if (clock.monotonicMs() < checksAtMs) return;
    checksAtMs = clock.monotonicMs() + checkEveryMs;
    const check = await checkChain(context);
    if (check?.isNews !== true) return;
    if (check.broken === null) log.info({}, "The audit trail is whole again.");
    else log.error({ ...check.broken }, "The audit trail is broken: somebody changed it beside Quiesce.");
    options.afterWrite?.();
  };
  const look = (): void => {
    if (busy !== null || clock.monotonicMs() < restsUntilMs) return;
    busy = work()
      .catch((error: unknown) => {
        restsUntilMs = clock.monotonicMs() + restMs;
        if (!stop.signal.aborted) log.warn({ err: error }, "The audit trail could not be sealed; trying again.");
      })
      .finally(() => {
        busy = null;
      });
  };
  const timer = setInterval(look, sealEveryMs);
  timer.unref();
  look();
  return async (): Promise<void> => {
    clearInterval(timer);
    stop.abort();
    await (busy ?? Promise.resolve());
  };
}

/** Appends the signed head to a file, a line each time: when it has moved, at most once in `headEveryMs`. */
function createHeadFile(
  context: { readonly database: Database; readonly keys: KeyRing; readonly log: Log },
  { headFile, headEveryMs }: { readonly headFile?: string | undefined; readonly headEveryMs: number },
): () => Promise<void> {
  let written = { position: 0, atMs: Number.NEGATIVE_INFINITY };
  return async () => {
    if (headFile === undefined || clock.monotonicMs() < written.atMs + headEveryMs) return;
    const head = await signedHead(context);
    if (head === null || head.position === written.position) return;
    written = { position: head.position, atMs: clock.monotonicMs() };
    try {
      await appendFile(headFile, `${JSON.stringify(head)}\n`);
    } catch (error) {
      context.log.warn({ err: error, file: headFile }, "The head of the audit trail could not be written to its file.");
    }
  };
}
