import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./root.mjs";
import { runStep } from "./run-step.mjs";

const readPackages = async (file) => {
  try {
    return JSON.parse(await readFile(join(root, file), "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw new Error(`${file} cannot be read as JSON (${error.message}). Restore it from the repository, or delete node_modules.`, {
      cause: error,
    });
  }
};

/**
 * Whether node_modules lacks something that package-lock.json asks for. npm writes what it installed into
 * node_modules/.package-lock.json as the last thing it does, so an interrupted install, one without the development packages
 * (NODE_ENV=production) and one of an older lock are all seen; one made by hand with `npm install` is left alone.
 */
export async function isInstallDue() {
  const wanted = await readPackages("package-lock.json");
  const installed = await readPackages("node_modules/.package-lock.json");
  if (wanted === undefined)
    throw new Error("package-lock.json is missing. Restore it from the repository: without it nobody knows which versions were tested.");
  if (installed === undefined) return true;
  return Object.entries(wanted).some(([path, entry]) => {
    // Optional packages are those of other platforms; what lies outside node_modules is the workspaces themselves.
    if (!path.includes("node_modules/") || entry.optional || entry.devOptional || entry.peer) return false;
    const found = installed[path];
    return found === undefined || found.version !== entry.version || found.integrity !== entry.integrity;
  });
}

/** Installs what the lock asks for, when it is not there. Afterwards no network is needed. */
export async function installWhenDue(signal) {
  if (!(await isInstallDue())) return;
  const npm = process.env.npm_execpath?.endsWith("npm-cli.js")
    ? { program: process.execPath, args: [process.env.npm_execpath] }
    : { program: "npm", args: [] };
  const { NODE_ENV: _, ...env } = process.env;
  await runStep({
    title: "Installing packages (only the first time; needs the network)",
    program: npm.program,
    args: [...npm.args, "ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"],
    env,
    signal,
    advice: "Check the network and the registry (npm config get registry), then run the same command again.",
  });
}
