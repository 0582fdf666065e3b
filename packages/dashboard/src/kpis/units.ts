import type { IntlShape } from "react-intl";
import { lengthText } from "../app/times.js";

type Numbers = Pick<IntlShape, "formatNumber">;

const MINUTE_MS = 60_000;
const nothing = "–";

/** A share of availability as a percentage, cut and never rounded up: 99.9996 % is not 100 %. */
export function availabilityText(share: number | null, { formatNumber }: Numbers): string {
  if (share === null) return nothing;
  const cut = Math.floor(share * 1e5 + 1e-7) / 1e5;
  return formatNumber(cut, { style: "percent", minimumFractionDigits: 3, maximumFractionDigits: 3 });
}

/** A figure in its unit (ms, 1/s, count, share); a dash for none. */
export function figureText(value: number | null | undefined, unit: string, { formatNumber }: Numbers): string {
  if (value === null || value === undefined) return nothing;
  switch (unit) {
    case "share":
      return formatNumber(value, { style: "percent", maximumFractionDigits: 2 });
    case "1/s":
      return `${formatNumber(value, { maximumSignificantDigits: 3 })}/s`;
    case "ms":
      if (value >= MINUTE_MS) return lengthText(value);
      if (value >= 1_000) return `${formatNumber(value / 1_000, { maximumFractionDigits: 2 })} s`;
      return `${formatNumber(value, { maximumFractionDigits: value < 10 ? 1 : 0 })} ms`;
    default:
      return formatNumber(value, { maximumFractionDigits: 1 });
  }
}

/** How a figure has changed, as +12 %; points of a percentage for shares; null where nothing can be compared. */
export function changeText(
  now: number | null,
  before: number | null,
  input: { readonly unit: string; readonly intl: Numbers },
): string | null {
  const { unit, intl } = input;
  if (now === null || before === null || now === before) return null;
  if (unit === "share") {
    const points = intl.formatNumber((now - before) * 100, { maximumFractionDigits: 2, signDisplay: "exceptZero" });
    return `${points} pp`;
  }
  if (before === 0) return null;
  return intl.formatNumber(now / before - 1, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
}

/** Every unit of a length that is not zero, to the millisecond: what adds up has to. */
export function wholeLength(lengthMs: number): string {
  const ms = Math.round(lengthMs);
  if (ms === 0) return "0";
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
    [ms % 1_000, "ms"],
  ] as const;
  return parts.flatMap(([amount, unit]) => (amount === 0 ? [] : [`${amount} ${unit}`])).join(" ");
}
