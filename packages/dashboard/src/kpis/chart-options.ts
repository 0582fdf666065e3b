import type { IntlShape } from "react-intl";
import uPlot from "uplot";
import type { ChartProps } from "./chart.js";
import { figureText } from "./units.js";

const DAY_SECONDS = 86_400;
/** Of the axis of values; longer texts would be cut. */
const VALUE_AXIS_PX = 70;
const DASHES: readonly (number[] | undefined)[] = [undefined, [6, 4], [2, 3]];

interface Surroundings {
  readonly intl: IntlShape;
  readonly width: number;
  readonly height: number;
  /** Whose colours are meant. */
  readonly parent: HTMLElement;
}

/** uPlot speaks English of America: times and numbers are told in the page's language, in the zone that was asked for. */
export function chartOptions(props: ChartProps, { intl, width, height, parent }: Surroundings): uPlot.Options {
  const { names, unit, zone, band = null, limits = [] } = props;
  const colour = colours(parent);
  const axis = {
    stroke: colour("--text-quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  };
  const lines = names.map((label, index): uPlot.Series => {
    const dash = DASHES[index % DASHES.length];
    return {
      label,
      stroke: colour(index === 0 ? "--accent" : "--text-quiet"),
      width: index === 0 ? 2 : 1.25,
      spanGaps: false,
      points: { fill: colour("--surface") },
      ...(dash === undefined ? {} : { dash }),
    };
  });
  const ends: uPlot.Series[] = band === null ? [] : [{ stroke: "transparent" }, { stroke: "transparent" }];
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), zone),
    scales: { x: { time: true }, y: { range: (_plot, low, high) => rangeOf(low, Math.max(high, ...limits)) } },
    axes: [
      { ...axis, values: (_plot, splits, _index, _space, step) => splits.map((at) => timeText(at, { step, zone, locale: intl.locale })) },
      { ...axis, size: VALUE_AXIS_PX, values: (_plot, splits) => splits.map((value) => figureText(value, unit, intl)) },
    ],
    series: [{}, ...ends, ...lines],
    ...(band === null ? {} : { bands: [{ series: [2, 1], fill: colour("--usual") }] }),
    hooks: {
      drawClear: [(plot) => drawShades(plot, props, colour("--held-soft"), colour("--held"))],
      draw: [(plot) => drawLimits(plot, props, colour("--failing")), (plot) => drawMarks(plot, props, colour("--failing"))],
    },
  };
}

/** From zero, with some air above. */
function rangeOf(low: number, high: number): [number, number] {
  return [Math.min(0, low * 1.08), high > 0 ? high * 1.08 : 1];
}

function timeText(
  seconds: number,
  { step, zone, locale }: { readonly step: number; readonly zone: string; readonly locale: string },
): string {
  const at = new Date(seconds * 1_000);
  const clock = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
  // A midnight says which day begins; between days the clock is enough.
  return step >= DAY_SECONDS || clock === "00:00"
    ? new Intl.DateTimeFormat(locale, { timeZone: zone, day: "numeric", month: "short" }).format(at)
    : clock;
}

function drawShades(plot: uPlot, { shades }: ChartProps, fill: string, edge: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { from, to } of shades) {
    const left = Math.max(bbox.left, plot.valToPos(from / 1_000, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1_000, "x", true));
    if (right <= left) continue;
    // A window of a minute should be seen.
    const width = Math.max(2 * devicePixelRatio, right - left);
    ctx.fillStyle = fill;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.fillStyle = edge;
    ctx.fillRect(left, bbox.top, width, 3 * devicePixelRatio);
  }
  ctx.restore();
}

function drawLimits(plot: uPlot, { limits = [] }: ChartProps, stroke: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([8 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const value of limits) {
    const y = plot.valToPos(value, "y", true);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

function drawMarks(plot: uPlot, { marks = [] }: ChartProps, fill: string): void {
  const { ctx, bbox } = plot;
  const size = 6 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = fill;
  for (const at of marks) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + bbox.height - size);
    ctx.lineTo(x - size, bbox.top + bbox.height);
    ctx.lineTo(x + size, bbox.top + bbox.height);
    ctx.fill();
  }
  ctx.restore();
}

/** The page's colours as a canvas takes them: a variable may say light-dark(), which only a real element resolves. */
function colours(parent: HTMLElement): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    parent.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    known.set(name, found);
    return found;
  };
}
