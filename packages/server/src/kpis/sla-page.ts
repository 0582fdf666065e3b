import type { AvailabilityFigures, MaintenanceReason } from "@quiesce/core";
import type { SlaOfIntegration, SlaReport } from "./sla-report.js";

const style = `
  body { font: 14px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
  th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid #ccc; font-variant-numeric: tabular-nums; }
  th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
  thead th { border-bottom: 2px solid #444; } .note { color: #444; }
  @media print { body { margin: 0; max-width: none; font-size: 10pt; } tr { break-inside: avoid; } thead { display: table-header-group; } h2 { break-after: avoid; } @page { margin: 15mm; } }
`;

/** What the page may do: nothing but its own style. */
export const slaPagePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const reasons: { readonly [reason in MaintenanceReason]: string } = {
  counts: "counts",
  "not-approved": "not approved: does not count",
  "not-announced": "not announced: does not count",
  "short-notice": "announced too late: does not count",
  "allowance-used-up": "the month's allowance was used up: does not count",
  "allowance-in-part": "counts in part, up to the month's allowance",
};

/** A report for people: one page that needs nothing else, to be read on a screen or printed. Whatever was named by somebody is escaped. */
export function slaPage(report: SlaReport): string {
  const { period, agreement } = report;
  const [from, to] = [instant(period.start), instant(period.end)];
  const allowance = agreement.monthlyAllowanceMs === null ? "without limit" : `at most ${duration(agreement.monthlyAllowanceMs)} a month`;
  const hours = agreement.serviceHours.length === 0 ? "around the clock" : `in its service hours (${text(agreement.timeZone)})`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Service levels, ${from} to ${to}</title>
<style>${style}</style>
</head>
<body>
<h1>Service levels</h1>
<p class="note">${from} to ${to}, times in UTC. The service is to be there ${hours}. The net figure leaves out maintenance that was announced ${duration(agreement.minimumNoticeMs)} before it began${agreement.needsApproval ? " and approved" : ""}, ${allowance}; the gross figure leaves out none.</p>
${table(["", "Net", "Gross", "Known", "Response p50", "p95", "p99"], [summaryRow("All together", report), ...report.integrations.map((one) => summaryRow(nameOf(one), one))])}
<h2>Where the time went</h2>
<p class="note">Up, down, unknown, excluded and out of schedule are the period, to the millisecond. Time without a check is unknown and neither up nor down.</p>
${table(["", "Up", "Down", "Unknown", "Excluded", "Out of schedule", "Period"], [...timeRows("All together", report), ...report.integrations.flatMap((one) => timeRows(nameOf(one), one))])}
<h2>Maintenance</h2>
${maintenanceTable(report.integrations)}
</body>
</html>
`;
}

function summaryRow(name: string, one: Pick<SlaReport, "net" | "gross" | "responseTime">): readonly string[] {
  const { p50, p95, p99 } = one.responseTime;
  return [name, percent(one.net.availability), percent(one.gross.availability), percent(one.net.coverage), ms(p50), ms(p95), ms(p99)];
}

function timeRows(name: string, { net, gross }: Pick<SlaReport, "net" | "gross">): readonly (readonly string[])[] {
  return [timeRow(`${name}, net`, net), timeRow(`${name}, gross`, gross)];
}

function timeRow(name: string, { upMs, downMs, unknownMs, excludedMs, outOfScheduleMs, periodMs }: AvailabilityFigures): readonly string[] {
  return [name, ...[upMs, downMs, unknownMs, excludedMs, outOfScheduleMs, periodMs].map(duration)];
}

function maintenanceTable(integrations: readonly SlaOfIntegration[]): string {
  const rows = integrations.flatMap((one) =>
    one.maintenance.map(({ key, startsAt, endsAt, reason, countedMs }) => [
      `${nameOf(one)}: ${key}`,
      instant(startsAt),
      instant(endsAt),
      duration(countedMs),
      reasons[reason],
    ]),
  );
  return rows.length === 0 ? "<p>None in this period.</p>" : table(["", "From", "To", "Excluded", "Why"], rows);
}

/** Cells are escaped here, once. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: "th" | "td", row: readonly string[]) => row.map((cell) => `<${tag}>${text(cell)}</${tag}>`).join("");
  return `<table><thead><tr>${cells("th", head)}</tr></thead><tbody>
${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}
</tbody></table>`;
}

const entities: { readonly [character: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}

const nameOf = ({ integration }: SlaOfIntegration): string =>
  integration.name === integration.key ? integration.key : `${integration.name} (${integration.key})`;
const instant = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/:\d{2}\.\d{3}Z$/, "");
const ms = (value: number | null): string => (value === null ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`);

/** Cut, not rounded: 99.9996 % is not 100 %. */
function percent(share: number | null): string {
  return share === null ? "–" : `${(Math.floor(share * 1e5 + 1e-7) / 1e3).toFixed(3)} %`;
}

function duration(lengthMs: number): string {
  if (lengthMs === 0) return "0";
  const seconds = Math.floor(lengthMs / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
    [lengthMs % 1_000, "ms"],
  ] as const;
  return parts.flatMap(([amount, unit]) => (amount === 0 ? [] : [`${amount} ${unit}`])).join(" ");
}
