import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startContender } from "../live.mjs";

const run = promisify(execFile);
const INSTALL_LIMIT_MS = 5 * 60_000;
/** What PostGraphile 5 needs. */
const POSTGRAPHILE_NODE_MAJOR = 22;

/**
 * Other GraphQL servers over the same database, installed into a folder of their own: nobody who uses the product downloads them, and one of them wants a newer
 * Node, which comes with it. `skipped` says why there are none, or fewer.
 */
export async function startPeers(databaseUrl) {
  const folder = await mkdtemp(join(tmpdir(), "quiesce-bench-peers-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await cp(fileURLToPath(new URL(".", import.meta.url)), folder, { recursive: true });
    // Engine warnings are about PostGraphile, which is not run by this Node.
    await run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], { cwd: folder, timeout: INSTALL_LIMIT_MS });
  } catch (error) {
    await remove();
    const reason = String(error.stderr ?? error.message).split("\n")[0];
    return { servers: [], skipped: [`Mercurius and PostGraphile could not be installed, which needs npm's registry: ${reason}`], remove };
  }
  const node = newerNode(folder);
  const skipped = [];
  const servers = [
    { name: "Mercurius", server: await startContender(process.execPath, [join(folder, "mercurius-server.mjs"), databaseUrl, "0"]) },
    {
      name: "Mercurius, compiled",
      server: await startContender(process.execPath, [join(folder, "mercurius-server.mjs"), databaseUrl, "1"]),
    },
  ];
  const postgraphile = await startContender(node, [join(folder, "postgraphile-server.mjs"), databaseUrl]).catch((error) => {
    skipped.push(`PostGraphile did not start with ${node} (it needs Node ${POSTGRAPHILE_NODE_MAJOR} or newer): ${error.message}`);
    return null;
  });
  if (postgraphile !== null) servers.push({ name: "PostGraphile (Node 22)", server: postgraphile });
  return { servers, skipped, remove };
}

/** This Node, or the one that npm has for this machine. */
function newerNode(folder) {
  const [major] = process.versions.node.split(".");
  if (Number(major) >= POSTGRAPHILE_NODE_MAJOR) return process.execPath;
  return join(folder, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
}
