import { type ImportFacts, type ImportOrder, importWindows, type WindowImport } from "@quiesce/core";
import { readList } from "./read-list.js";
import { readOpsgenie } from "./read-opsgenie.js";
import { readPagerDuty } from "./read-pagerduty.js";
import { readAlertmanager, readGrafana } from "./read-time-intervals.js";

const readers = {
  alertmanager: readAlertmanager,
  grafana: readGrafana,
  list: readList,
  opsgenie: readOpsgenie,
  pagerduty: readPagerDuty,
} as const;

/** The tools that windows are taken over from. */
export type ImportSource = keyof typeof readers;

/**
 * Turns what another tool exports, parsed from its JSON or YAML, into windows of a workspace. Throws DomainError QSC_IMPORT_DOCUMENT_INVALID when
 * the document is another one.
 */
export function importDocument(
  document: unknown,
  order: ImportOrder & { readonly source: ImportSource },
  facts: ImportFacts,
): WindowImport {
  return importWindows(readers[order.source](document, facts), order, facts);
}
