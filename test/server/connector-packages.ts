import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PackageOptions } from "../../packages/server/src/connector-host/connector-registry.js";
import type { AllowedPackage } from "../../packages/server/src/connector-host/packages/connector-list.js";
import { defaultWorkerLimits, type WorkerLimits } from "../../packages/server/src/connector-host/worker/worker-limits.js";

const repository = fileURLToPath(new URL("../../", import.meta.url));
/** A worker begins with what was built: Node runs no TypeScript. */
const workerEntry = new URL("../../packages/server/dist/connector-host/worker/connector-worker.js", import.meta.url);

/** A folder with a list of connectors and packages installed beside it, as an operator has it. */
export interface PackageFolder {
  readonly listPath: string;
  readonly options: PackageOptions;
  /** Writes a package: `definition` is the inside of defineConnector, `before` what stands above it. */
  install(name: string, content: PackageContent): Promise<string>;
  list(...connectors: readonly (Partial<AllowedPackage> & { readonly package: string })[]): Promise<void>;
  remove(): Promise<void>;
}

export interface PackageContent {
  readonly id?: string;
  readonly version?: string;
  readonly facets?: readonly string[];
  readonly definition?: string;
  readonly before?: string;
  /** The whole module in their place. */
  readonly module?: string;
  /** What package.json says otherwise. */
  readonly manifest?: object;
  readonly quiesce?: object;
}

export async function packageFolder(limits: Partial<WorkerLimits> = {}): Promise<PackageFolder> {
  if (!existsSync(workerEntry)) throw new Error("The server is not built: run npm run build first, these tests run its worker.");
  const folder = await mkdtemp(join(tmpdir(), "quiesce-connectors-"));
  const listPath = join(folder, "quiesce.connectors.json");
  await mkdir(join(folder, "node_modules", "@quiesce"), { recursive: true });
  await symlink(join(repository, "packages", "sdk"), join(folder, "node_modules", "@quiesce", "sdk"));
  return {
    listPath,
    options: { list: { path: listPath, required: true }, workerEntry, limits: { ...defaultWorkerLimits, ...limits } },
    async install(name, content) {
      const place = join(folder, "node_modules", ...name.split("/"));
      const { id = name, version = "1.0.0", facets = ["check"] } = content;
      const manifest = {
        name,
        version,
        type: "module",
        quiesce: { apiVersion: 1, id, entry: "./dist/index.js", facets, stability: "beta", ...content.quiesce },
        ...content.manifest,
      };
      await mkdir(join(place, "dist"), { recursive: true });
      await writeFile(join(place, "package.json"), JSON.stringify(manifest, null, 2));
      await writeFile(join(place, "dist", "index.js"), content.module ?? moduleOf({ ...content, id, version }));
      return place;
    },
    list: async (...connectors) => {
      await mkdir(dirname(listPath), { recursive: true });
      await writeFile(listPath, JSON.stringify({ connectors }));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function moduleOf({ id, version, before = "", definition = 'check: async () => ({ status: "up" }),' }: PackageContent): string {
  return `import { ConnectorError, defineConnector, z } from "@quiesce/sdk";
${before}
export default defineConnector({
  apiVersion: 1, id: ${JSON.stringify(id)}, version: ${JSON.stringify(version)}, displayName: ${JSON.stringify(id)}, stability: "beta",
  config: z.object({ url: z.string().default("http://127.0.0.1:9"), mode: z.string().optional() }),
  secrets: z.object({ token: z.string().optional() }),
  egress: (config) => [new URL(config.url).origin],
  ${definition}
});
`;
}
