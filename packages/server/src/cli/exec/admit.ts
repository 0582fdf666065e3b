import { CliError } from "../cli-error.js";
import { formatUntil } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import type { ExecWorld } from "./exec-world.js";
import type { HeldReason, Lease } from "./gate-client.js";
import { decideFromCache } from "./known-holds.js";
import { refreshCache } from "./refresh-cache.js";

export interface AdmitOptions {
  readonly integration: string;
  readonly leaseSeconds: number;
  /** How long to wait while held, in ms; 0: not at all. */
  readonly waitMs: number;
  readonly ifUnreachable: "hold" | "run";
}

export type Admission =
  | {
      readonly kind: "entered";
      readonly lease: Lease;
      /** Monotonic ms from before the lease was asked for. */
      readonly since: number;
      /** Settles when the cache holds what is planned; never rejects. */
      readonly refreshed: Promise<void>;
    }
  /** No server could be asked; what was known, or the caller's choice, let it go. */
  | { readonly kind: "unleased" }
  /** Held for as long as the caller would wait. */
  | { readonly kind: "refused" };

type Look =
  | { readonly kind: "settled"; readonly admission: Admission }
  | { readonly kind: "held"; readonly why: string; readonly until: number | null };

/** A window may end early: look again at least so often. */
const LOOK_EVERY_MS = 10_000;
const LOOK_SOON_MS = 1_000;

/** Waits until the work may start, and enters. Throws CliError when the server refuses for good (no such integration, no right to enter). */
export async function admit(options: AdmitOptions, world: ExecWorld, signal: AbortSignal): Promise<Admission> {
  const deadline = world.clock.monotonicMs() + options.waitMs;
  let said = "";
  for (;;) {
    const look = await lookOnce(options, world);
    if (look.kind === "settled") return look.admission;
    const left = deadline - world.clock.monotonicMs();
    const line = `${options.integration} is held: ${look.why}, ${formatUntil(look.until, world.clock.wallMs())}`;
    if (left <= 0) {
      world.say(options.waitMs === 0 ? `${line}. Not started.` : `${line}. Not started: waited as long as --wait allows.`);
      return { kind: "refused" };
    }
    if (look.why !== said) world.say(`${line}. Waiting.`);
    said = look.why;
    const untilEnd = look.until === null ? LOOK_EVERY_MS : Math.max(LOOK_SOON_MS, look.until - world.clock.wallMs());
    await world.sleep(Math.min(untilEnd, LOOK_EVERY_MS, Math.max(left, 1)), signal);
    if (signal.aborted) return { kind: "refused" };
  }
}

async function lookOnce(options: AdmitOptions, world: ExecWorld): Promise<Look> {
  try {
    // Asking first costs a few milliseconds; being refused at the entrance is a row in the ledger, and cron comes every minute.
    const gate = await world.gate.ask();
    if (gate.kind === "held") return await held(gate, world);
    const since = world.clock.monotonicMs();
    const answer = await world.gate.enter(options.leaseSeconds);
    if (answer.kind === "held") return await held(answer, world);
    return { kind: "settled", admission: { kind: "entered", lease: answer.lease, since, refreshed: refreshCache(world) } };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error.code === "QSC_GATE_BUSY")
      return { kind: "held", why: "another run has its place, or a cap is reached", until: world.clock.wallMs() + LOOK_SOON_MS };
    if (error.exit !== "unreachable") throw error;
    return withoutServer(options, world, error);
  }
}

async function held(answer: { readonly by: readonly HeldReason[]; readonly until: number | null }, world: ExecWorld): Promise<Look> {
  await refreshCache(world);
  return { kind: "held", why: describe(answer.by), until: answer.until };
}

async function withoutServer(options: AdmitOptions, world: ExecWorld, error: CliError): Promise<Look> {
  const verdict = decideFromCache(await world.cache.read(), world.clock.wallMs());
  switch (verdict.kind) {
    case "open":
      world.say(
        `${error.message} By what was planned at the last contact nothing holds ${options.integration} now: running without a lease.`,
      );
      return { kind: "settled", admission: { kind: "unleased" } };
    case "held":
      return {
        kind: "held",
        why: `${describe(verdict.by)} (as planned at the last contact; the server is unreachable)`,
        until: verdict.until,
      };
    case "unknown":
      if (options.ifUnreachable === "run") {
        world.say(`${error.message} Nothing is known of the last 24 hours: running without a lease, as --if-unreachable run says.`);
        return { kind: "settled", admission: { kind: "unleased" } };
      }
      return {
        kind: "held",
        why: "the server is unreachable and nothing is known of the last 24 hours (--if-unreachable hold)",
        until: null,
      };
  }
}

function describe(by: readonly HeldReason[]): string {
  if (by.length === 0) return "the server does not know its windows far enough ahead";
  return by.map((one) => plainText(`"${one.title}" by ${one.owner} (${one.reason})`)).join(" and ");
}
