/** A share of events, with how sure it is. */
export interface EventRatio {
  /** good / valid; null without events. */
  readonly ratio: number | null;
  /** Wilson's interval of 95 %: with few events the true share may be anywhere in it. */
  readonly low: number | null;
  readonly high: number | null;
  /** Fewer than `fewEvents`: say the interval beside the ratio. */
  readonly isUncertain: boolean;
}

/** With fewer events than this a share alone misleads. */
export const fewEvents = 20;
/** The 97.5 % quantile of the normal distribution. */
const z = 1.959963984540054;

/** Wilson's score interval (1927) of `good` among `valid` events. Throws RangeError when there are more good ones than valid ones. */
export function eventRatio(good: number, valid: number): EventRatio {
  if (!(good >= 0 && good <= valid)) throw new RangeError(`${good} good events of ${valid} cannot be.`);
  if (valid === 0) return { ratio: null, low: null, high: null, isUncertain: true };
  const ratio = good / valid;
  const middle = (ratio + (z * z) / (2 * valid)) / (1 + (z * z) / valid);
  const half = (z * Math.sqrt((ratio * (1 - ratio)) / valid + (z * z) / (4 * valid * valid))) / (1 + (z * z) / valid);
  // The ends are exact where every event was good, or none.
  return {
    ratio,
    low: good === 0 ? 0 : middle - half,
    high: good === valid ? 1 : middle + half,
    isUncertain: valid < fewEvents,
  };
}
