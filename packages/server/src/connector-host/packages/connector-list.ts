import { readFile, stat } from "node:fs/promises";
import { DomainError } from "@quiesce/core";
import { z } from "zod";

/** The name that is looked for in the data folder when no other is given. */
export const CONNECTOR_LIST_NAME = "quiesce.connectors.json";
/** More packages than this one server does not load: each has a worker. */
const MAX_PACKAGES = 100;

/** The bit of a file's mode. */
const WRITABLE_BY_ALL = 0o002;

const aliasPattern = /^[a-z][a-z0-9-]{1,40}$/;

const entrySchema = z.strictObject({
  package: z
    .string()
    .regex(
      /^(?:(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*|\.\.?\/.+|\/.+)$/i,
      "Expected a package's name as it is installed, or a path such as ./my-connector.",
    )
    .max(214),
  alias: z.string().regex(aliasPattern, "Expected 2 to 41 lower-case letters, digits and dashes, a letter first.").optional(),
  isolation: z.enum(["worker", "inline"], "Expected worker or inline.").default("worker"),
  integrity: z
    .string()
    .regex(/^sha512-[A-Za-z0-9+/]{86}==$/, "Expected sha512- and 88 characters of base64.")
    .optional(),
});

const listSchema = z.strictObject({
  connectors: z.array(entrySchema).max(MAX_PACKAGES, `Expected at most ${MAX_PACKAGES} packages.`),
});

/** One package that may be loaded, and how. */
export type AllowedPackage = z.output<typeof entrySchema>;

/** Where the list is, and whether it has to be there. */
export interface ConnectorListFile {
  readonly path: string;
  /** An operator named it: then it must be there. */
  readonly required: boolean;
}

/** Reads which packages may be loaded. Throws QSC_CONNECTOR_LIST with the place and what was expected. */
export async function readConnectorList({ path, required }: ConnectorListFile): Promise<readonly AllowedPackage[]> {
  const refuse = (why: string): never => {
    throw new DomainError("QSC_CONNECTOR_LIST", `The list of connectors ${path} cannot be used: ${why}`, { field: "QUIESCE_CONNECTORS" });
  };
  let text: string;
  let mode: number;
  try {
    text = await readFile(path, "utf8");
    mode = (await stat(path)).mode;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT" && !required) return [];
    return refuse(code === "ENOENT" ? "there is no such file. Make it, or take QUIESCE_CONNECTORS away." : `it cannot be read (${code}).`);
  }
  if ((mode & WRITABLE_BY_ALL) !== 0) return refuse(`everybody may write it, and what it lists is run. Run: chmod o-w ${path}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refuse(`it is no JSON (${error instanceof Error ? error.message : ""}).`);
  }
  const result = listSchema.safeParse(document);
  if (!result.success) {
    const [issue] = result.error.issues;
    return refuse(
      `${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "unknown"} Written is: { "connectors": [{ "package": "@acme/quiesce-connector-erp", "alias": "acme-erp" }] }`,
    );
  }
  return result.data.connectors;
}
