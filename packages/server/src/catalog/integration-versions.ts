import { DomainError, type FieldChange, fieldChanges, type IntegrationEntry, integrationSchema, type WorkspaceChange } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage } from "../db/read-page.js";
import { selectRows } from "../db/select-rows.js";
import type { CatalogContext } from "./catalog-context.js";
import { applyWorkspace } from "./commands.js";
import type { VersionOrigin } from "./store/save-versions.js";

/** One definition that an integration has had. */
export interface VersionRow {
  readonly number: number;
  readonly document: unknown;
  readonly origin: VersionOrigin;
  readonly restores: number | null;
  readonly actor: string;
  readonly reason: string | null;
  readonly at: number;
}

const columns = sql`v.number, v.document, v.origin, v.restores, v.actor, v.reason, v.at`;

/** The versions of an integration, newest first. */
export function versionPage(database: Database, integrationId: number, args: PageArgs): Promise<Page<VersionRow>> {
  return readPage<VersionRow>(database, args, {
    columns,
    from: sql`integration_version as v`,
    where: [sql`v.integration_id = ${integrationId}`],
    sort: [{ column: sql`v.number`, type: "bigint", of: (row) => row.number }],
    direction: "desc",
  });
}

/** The number of the version in force, by integration; none where the definition was never changed since versions are kept. */
export async function currentVersions(database: Database, integrationIds: readonly number[]) {
  return selectRows<{ readonly integrationId: number; readonly number: number }>(
    database.db,
    sql`select integration_id as "integrationId", max(number) as number from integration_version
      where integration_id = any (${sql.param(integrationIds)}::integer[]) group by 1`,
  );
}

/** One version by the integration's key. Throws QSC_VERSION_NOT_FOUND. */
export async function versionOf(database: Database, integration: string, number: number): Promise<VersionRow> {
  const rows = await selectRows<VersionRow>(
    database.db,
    sql`select ${columns} from integration_version as v join integration as i on i.id = v.integration_id where i.key = ${integration} and v.number = ${number}::integer`,
  );
  const [row] = rows;
  if (row !== undefined) return row;
  const [last] = await selectRows<{ readonly number: number | null; readonly first: number | null }>(
    database.db,
    sql`select max(v.number) as number, min(v.number) as first from integration_version as v join integration as i on i.id = v.integration_id where i.key = ${integration}`,
  );
  const known = typeof last?.number !== "number" ? "It has none, or does not exist." : `There are ${last.first} to ${last.number}.`;
  throw new DomainError("QSC_VERSION_NOT_FOUND", `Integration "${integration}" has no version ${number}. ${known}`, { field: "version" });
}

/** The definition of a version in the normal form of today. */
export function entryOfVersion(version: VersionRow): IntegrationEntry {
  const parsed = integrationSchema.safeParse(version.document);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues.map((issue) => `${issue.path.map(String).join(".")}: ${issue.message}`)[0] ?? "";
  throw new DomainError("QSC_VERSION_UNREADABLE", `Version ${version.number} is of a form that this server no longer takes: ${problem}`, {
    field: "version",
  });
}

/** What differs between two versions of an integration, path by path. */
export async function versionDiff(
  database: Database,
  versions: { readonly integration: string; readonly from: number; readonly to: number },
): Promise<readonly FieldChange[]> {
  const from = await versionOf(database, versions.integration, versions.from);
  const to = await versionOf(database, versions.integration, versions.to);
  return fieldChanges(from.document, to.document);
}

/**
 * Brings an integration back to a former definition, by the same way as every apply: checked, audited, and as a new version. Answers the steps;
 * none when that definition is in force. Throws QSC_VERSION_NOT_FOUND, QSC_VERSION_REASON, and QSC_CATALOGUE_INVALID when it names what is gone.
 */
export async function rollbackIntegration(
  context: CatalogContext,
  input: { readonly integration: string; readonly version: number; readonly reason: string },
): Promise<readonly WorkspaceChange[]> {
  const reason = input.reason.trim();
  if (reason === "")
    throw new DomainError("QSC_VERSION_REASON", "The reason is empty. Say why the former definition is wanted again.", { field: "reason" });
  const version = await versionOf(context.database, input.integration, input.version);
  const document = { quiesce: 1, integrations: [version.document] };
  return applyWorkspace(context, document, { reason, origin: { kind: "rollback", restores: version.number } });
}
