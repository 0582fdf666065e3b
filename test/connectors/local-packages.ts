import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const root = fileURLToPath(new URL("../../", import.meta.url));
/** The time for one program of an author's project. */
export const STEP_MS = 600_000;
const OFFLINE = { npm_config_offline: "true", npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false" };

/** What became of a program. */
export interface Ran {
  readonly code: number;
  /** Both streams, one after the other. */
  readonly output: string;
}

/** Runs a program to its end, without a network for npm. */
export function run(
  program: string,
  argv: readonly string[],
  cwd: string,
  environment: { readonly [name: string]: string } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...OFFLINE, ...environment };
    execFile(program, [...argv], { cwd, env, encoding: "utf8", timeout: STEP_MS, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, output: `${stdout}\n${stderr}` }),
    );
  });
}

/** The same; throws with what it printed unless it ends with 0. */
export async function good(
  program: string,
  argv: readonly string[],
  cwd: string,
  environment: { readonly [name: string]: string } = {},
): Promise<string> {
  const { code, output } = await run(program, argv, cwd, environment);
  if (code !== 0) throw new Error(`${program} ${argv.join(" ")} in ${cwd} ended with ${code}:\n${output}`);
  return output;
}

/** Builds the SDK and packs it with what an author's project consists of, as it lies in this checkout: nothing is fetched. Tarballs by package. */
export async function packLocally(folder: string): Promise<ReadonlyMap<string, string>> {
  await good(process.execPath, ["node_modules/typescript/bin/tsc", "-b", "packages/sdk", "packages/create-connector"], root);
  const natives = (await readdir(join(root, "node_modules/@typescript")).catch(() => [])).map((name) => `node_modules/@typescript/${name}`);
  const places = [
    "packages/sdk",
    "node_modules/zod",
    "node_modules/typescript",
    "node_modules/@types/node",
    "node_modules/undici-types",
    ...natives,
  ];
  const argv = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder, ...places.map((place) => `./${place}`)];
  const output = await good("npm", argv, root);
  const packed = JSON.parse(output.slice(output.indexOf("["), output.lastIndexOf("]") + 1)) as readonly {
    name: string;
    filename: string;
  }[];
  return new Map(packed.map(({ name, filename }) => [name, join(folder, filename)]));
}
