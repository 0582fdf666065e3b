import type { BaselineReading } from "./baseline.js";

/** Decimals that tell a value apart from its band, and no more. */
const SIGNIFICANT_DIGITS = 4;

/**
 * An anomaly in words: what was seen, in which view, and between which values it usually lies. Empty for a reading that was not scored.
 *
 * @example
 * explainAnomaly(reading, "ms")
 * // "812 ms is above the usual 97 to 640 ms, and higher than ever before."
 */
export function explainAnomaly(reading: BaselineReading, unit = ""): string {
  if (reading.kind === "silent") return "";
  const { view, seen, band, expected, isNewExtreme } = reading;
  // The residual is explained as the value that it belongs to: nobody thinks in differences.
  const shift = view === "residual" ? expected : 0;
  const [value, low, high] = [seen + shift, band.low + shift, band.high + shift];
  if (seen >= band.low && seen <= band.high) return `${shown(value, unit)} is within the usual ${span(low, high, unit)}.`;
  const isAbove = seen > band.high;
  const extreme = isNewExtreme ? `, and ${isAbove ? "higher" : "lower"} than ever before` : "";
  const out = isAbove ? "above" : "below";
  switch (view) {
    case "value":
      return `${shown(value, unit)} is ${out} the usual ${span(low, high, unit)}${extreme}.`;
    case "short-median":
      return `The last points lie around ${shown(value, unit)}, ${out} the usual ${span(low, high, unit)}${extreme}.`;
    case "activity":
      return `From point to point it changes by ${shown(value, unit)}, ${isAbove ? "more" : "less"} than the usual ${span(low, high, unit)}${extreme}.`;
    case "residual":
      return `${shown(value, unit)} is ${out} the usual ${span(low, high, unit)} of this hour of the week${isNewExtreme ? ", and further off than ever before" : ""}.`;
  }
}

function span(low: number, high: number, unit: string): string {
  return `${shown(low, "")} to ${shown(high, unit)}`;
}

function shown(value: number, unit: string): string {
  const rounded = Number(value.toPrecision(SIGNIFICANT_DIGITS));
  return unit === "" ? String(rounded) : `${rounded} ${unit}`;
}
