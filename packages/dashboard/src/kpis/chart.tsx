import { useEffect, useRef } from "react";
import { useIntl } from "react-intl";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { usePreferences } from "../app/preferences.js";
import { chartOptions } from "./chart-options.js";
import type { SeriesColumns, Shade } from "./series-data.js";
import styles from "./kpis.module.css";

/** Lines over time with shaded times behind; whoever sees no picture finds the same in a table beside. */
export interface ChartProps {
  /** What it shows, in one sentence. */
  readonly label: string;
  readonly columns: SeriesColumns;
  /** Names of the lines, in the order of the columns. The last drawn is the one that counts. */
  readonly names: readonly string[];
  readonly shades: readonly Shade[];
  /** Lower and upper ends at each step of what is usual there; null: nothing is known. */
  readonly band?: { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] } | null;
  /** Steps at which something was unusual, in seconds of the epoch. */
  readonly marks?: readonly number[];
  /** Values that should not be passed, each a line across. */
  readonly limits?: readonly number[];
  readonly unit: string;
  readonly zone: string;
}

const HEIGHT = 260;
const LEAST_WIDTH = 240;

export function Chart(props: ChartProps) {
  const { label, columns, band = null } = props;
  const intl = useIntl();
  const { theme } = usePreferences();
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const key = JSON.stringify([props.names, props.shades, props.marks, props.limits, props.unit, props.zone, band === null]);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const parent = place.current;
    if (parent === null) return undefined;
    const draw = () => {
      plot.current?.destroy();
      const width = Math.max(LEAST_WIDTH, parent.clientWidth);
      plot.current = new uPlot(chartOptions(latest.current, { intl, width, height: HEIGHT, parent }), dataOf(latest.current), parent);
    };
    draw();
    const observer = new ResizeObserver(() => {
      plot.current?.setSize({ width: Math.max(LEAST_WIDTH, parent.clientWidth), height: HEIGHT });
    });
    observer.observe(parent);
    // Colours of a canvas do not follow the page's by themselves, nor onto paper.
    const media = ["(prefers-color-scheme: dark)", "print"].map((query) => matchMedia(query));
    for (const one of media) one.addEventListener("change", draw);
    return () => {
      observer.disconnect();
      for (const one of media) one.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [key, intl, theme]);
  useEffect(() => plot.current?.setData(dataOf(latest.current)), [columns, band]);
  return <div ref={place} role="img" aria-label={label} className={styles["chart"]} />;
}

function dataOf({ columns, band = null }: ChartProps): uPlot.AlignedData {
  const bands = band === null ? [] : [[...band.low], [...band.high]];
  return [[...columns.at], ...bands, ...columns.lines.map((line) => [...line])];
}
