import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError, parseInstantText, stateRules } from "@quiesce/core";
import type { Authenticated } from "../access/authenticate.js";
import { type ApiServices, requestContext } from "../graphql/request-context.js";
import { agreementOf } from "../kpis/graphql-sla.js";
import { objectiveOfReport } from "../kpis/objectives/objective-of-report.js";
import { slaCsv } from "../kpis/sla-csv.js";
import { slaPage, slaPagePolicy } from "../kpis/sla-page.js";
import { slaReport } from "../kpis/sla-report.js";
import { kpiScopeOf } from "../kpis/stored-scope.js";
import { requireMethod, requireRight } from "./gate-routes.js";

/**
 * `GET /reports/sla.html` and `GET /reports/sla.csv`: a report of service levels, to print or for a spreadsheet. `from` and `to` are instants; `integration`,
 * `system`, `team` or `tag` narrow it, or `objective` brings its scope and agreement; `notice`, `allowance` and `check-interval` (seconds), `needs-approval`, `time-zone` and `rule` say what was agreed.
 */
export async function serveReports(input: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly caller: Authenticated;
  readonly services: ApiServices;
}): Promise<void> {
  const { request, response, url, caller, services } = input;
  const format = /^\/reports\/sla\.(html|csv)$/.exec(url.pathname)?.[1];
  if (format === undefined)
    throw new DomainError("QSC_HTTP_NOT_FOUND", "There is no such report. There are /reports/sla.html and /reports/sla.csv.");
  requireMethod(request, "GET");
  requireRight(services, caller, "runs.read");
  const { database, zones } = requestContext(services, caller);
  const { searchParams: given } = url;
  const objective = await objectiveOfReport(database.db, given.get("objective"));
  const saysScope = ["integration", "system", "team", "tag"].some((name) => given.has(name));
  const saysAgreement = ["notice", "allowance", "check-interval", "needs-approval", "time-zone", "rule"].some((name) => given.has(name));
  const report = await slaReport(
    { database, zones },
    {
      scope:
        objective !== null && !saysScope
          ? kpiScopeOf(objective.scope)
          : { integration: given.get("integration"), system: given.get("system"), team: given.get("team"), tag: given.get("tag") },
      period: { start: instantOf(given, "from"), end: instantOf(given, "to") },
      agreement:
        objective !== null && !saysAgreement
          ? objective.agreement
          : agreementOf({
              minimumNoticeSeconds: secondsOf(given, "notice"),
              monthlyAllowanceSeconds: secondsOf(given, "allowance"),
              checkIntervalSeconds: secondsOf(given, "check-interval"),
              needsApproval: given.get("needs-approval") === "true",
              timeZone: given.get("time-zone"),
              rule: stateRules.find((rule) => rule === given.get("rule")),
            }),
    },
  );
  const headers =
    format === "html"
      ? { "content-type": "text/html; charset=utf-8", "content-security-policy": slaPagePolicy }
      : { "content-type": "text/csv; charset=utf-8", "content-disposition": 'attachment; filename="service-levels.csv"' };
  const body = format === "html" ? slaPage(report) : slaCsv(report);
  response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(body), "cache-control": "no-store" });
  response.end(body);
}

function instantOf(given: URLSearchParams, name: string): number {
  const text = given.get(name) ?? "";
  const at = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/.test(text) ? parseInstantText(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new DomainError(
    "QSC_KPI_PERIOD",
    `${name} is "${text.slice(0, 40)}". Expected an instant as 2027-03-01 (UTC) or 2027-03-01T00:00:00Z.`,
    {
      field: name,
    },
  );
}

function secondsOf(given: URLSearchParams, name: string): number | null {
  const text = given.get(name);
  if (text === null) return null;
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 0) return seconds;
  throw new DomainError("QSC_KPI_AGREEMENT", `${name} is "${text.slice(0, 40)}". Expected whole seconds.`, { field: name });
}
