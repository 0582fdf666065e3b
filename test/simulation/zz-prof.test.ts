import { Session } from "node:inspector/promises";
import { writeFileSync, mkdirSync } from "node:fs";
import { it } from "vitest";
import { openDatabase } from "../../packages/server/src/db/client.js";
import { freshDatabase } from "../database/fresh-database.js";
import { simulate } from "./simulate.js";
it("prof", { timeout: 200000 }, async () => {
  const s = new Session(); s.connect(); await s.post("Profiler.enable"); await s.post("Profiler.start");
  for (const seed of [241, 243, 245]) {
    const fresh = await freshDatabase();
    const database = openDatabase(fresh.url, { max: 4, applicationName: "x" });
    const t = Date.now(); await simulate(database, seed); console.log(seed, Date.now() - t);
    await database.close(); await fresh.drop();
  }
  const { profile } = await s.post("Profiler.stop");
  mkdirSync("/tmp/prof", { recursive: true }); writeFileSync("/tmp/prof/a.cpuprofile", JSON.stringify(profile));
});
