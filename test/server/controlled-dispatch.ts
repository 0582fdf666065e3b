import { packagedZoneData } from "@quiesce/core";
import type { CommandContext } from "../../packages/server/src/command.js";
import { openDatabase } from "../../packages/server/src/db/client.js";
import { registerWorker } from "../../packages/server/src/runs/worker-lease.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { controlTime } from "../database/control-time.js";
import { freshDatabase } from "../database/fresh-database.js";

/** Longer than any story of a test. */
const LEASE_MS = 36_000_000;

export type ControlledDispatch = Awaited<ReturnType<typeof controlledDispatch>>;

/** A database of its own whose clock the test sets, with what dispatch needs before anything is due: the expansion, and one worker. */
export async function controlledDispatch(options: { readonly name: string; readonly start: number }) {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, { max: 6, applicationName: options.name });
  const time = await controlTime(database.sql);
  await time.set(options.start);
  const context: CommandContext = {
    database,
    zones: packagedZoneData(),
    actor: { kind: "token", name: "tester", role: "admin", overridesFreezes: true },
  };
  await expandWindows(context);
  const worker = await registerWorker(database, { name: "test", leaseMs: LEASE_MS });
  return {
    database,
    time,
    context,
    worker,
    async close(): Promise<void> {
      await database.close();
      await fresh.drop();
    },
  };
}
