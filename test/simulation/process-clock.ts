import { clock } from "../../packages/server/src/clock.js";

const realDate = globalThis.Date;

/**
 * The clocks of the process whose turn it is. A test process tells one story at a time and lets one server speak at a time, so these two numbers
 * are all that its servers know of the time beside the database's clock.
 */
export const processClock = {
  /** What its wall clock says: the story's time and how far somebody has set it wrong. */
  wallMs: realDate.now(),
  /** Goes on with the story's time, whatever anybody sets. */
  monotonicMs: 0,
};

/** So much time passes between two looks, so that nothing that waits for time to pass waits for ever. */
const tickMs = 0.001;

/** From now on nothing in this process reads the machine's time: neither the product's one reader of it nor a library. */
export function replaceProcessClock(): void {
  const monotonicMs = (): number => (processClock.monotonicMs += tickMs);
  clock.monotonicMs = monotonicMs;
  clock.uptimeMs = monotonicMs;
  clock.wallMs = () => processClock.wallMs;
  globalThis.Date = new Proxy(realDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [processClock.wallMs] : args, newTarget) as object,
    get: (target, name, receiver) => (name === "now" ? () => processClock.wallMs : (Reflect.get(target, name, receiver) as unknown)),
  });
}
