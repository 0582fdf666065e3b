import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { projectFiles } from "./project-files.js";

/** What to begin. */
export interface NewConnector {
  /** Where; its last part becomes the connector's id. It must not exist, or be empty. */
  readonly folder: string;
  /** `quiesce-connector-<id>` if absent. */
  readonly packageName?: string;
  /** The range of versions of `@quiesce/sdk`. */
  readonly sdk: string;
}

const CONNECTOR_ID = /^[a-z][a-z0-9-]{1,40}$/u;
const PACKAGE_NAME = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/u;

/** Writes the files of a new connector. Throws, and writes nothing, for a name that cannot be or a folder with something in it. */
export async function createConnector({
  folder,
  packageName,
  sdk,
}: NewConnector): Promise<{ readonly folder: string; readonly files: readonly string[] }> {
  const target = resolve(folder);
  const id = basename(target);
  if (!CONNECTOR_ID.test(id))
    throw new Error(
      `The folder's name becomes the connector's id: found "${id}", expected 2 to 41 lower-case letters, digits and dashes, a letter first.`,
    );
  const name = packageName ?? `quiesce-connector-${id}`;
  if (!PACKAGE_NAME.test(name))
    throw new Error(`--name: found "${name}", expected a package's name such as @acme/quiesce-connector-${id}.`);
  const present = await readdir(target).catch(() => []);
  if (present.length > 0) throw new Error(`${target} is not empty: it holds ${present.slice(0, 3).join(", ")}. Name a new folder.`);
  const files = projectFiles({ id, packageName: name, sdk });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await writeFile(join(target, path), text);
  }
  return { folder: target, files: Object.keys(files) };
}
