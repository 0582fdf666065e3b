import { expect, it } from "vitest";
import { extendedConnector } from "../../../../test/pipeline/extended-connector.js";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { packageFolder } from "../../../../test/server/connector-packages.js";
import { reconcileIntegration } from "./commands.js";
import { streamsOfReconciliations } from "./queries.js";

const comparing = `reconcile: {
  count: async () => 3,
  keys: async (x, { after, limit }) => ["a", "b", "c"].filter((key) => after === undefined || key > after).slice(0, limit).map((key) => ({ key, hash: "h-" + key })),
  digest: async (x, { buckets }) => Array.from({ length: buckets }, (none, bucket) => (bucket === 0 ? "d" : "")),
},`;

it("a connector in a worker is compared by its own digests, keys and counts", async () => {
  const folder = await packageFolder();
  await folder.install("acme", { definition: comparing, facets: ["reconcile"] });
  await folder.list({ package: "acme" });
  const target = memoryTarget();
  let digest = "d";
  const connector = extendedConnector(target.connector, {
    reconcile: {
      count: async () => 3,
      keys: async (_x, { after }) =>
        after === undefined ? ["a", "b", "d"].map((key) => ({ key, hash: key === "b" ? "other" : `h-${key}` })) : [],
      digest: async (_x, { buckets }) => Array.from({ length: buckets }, (_none, bucket) => (bucket === 0 ? digest : "")),
    },
  });
  const bench = await pipelineBench({
    source: memorySource(),
    target: { connector },
    stream: { mapping: { fields: { id: { from: "id" } } } },
    packages: folder.options,
  });
  try {
    await bench.database.sql`update endpoint set connector = 'acme' where key = 'source'`;
    const compared = async () => {
      const { id } = await reconcileIntegration(bench.context, { integration: "orders", reason: null });
      expect(await bench.attempt()).toMatchObject({ kind: "succeeded" });
      return (await streamsOfReconciliations(bench.database, [id]))[0];
    };
    expect(await compared()).toMatchObject({ method: "digest", equal: 3, different: 0 });
    digest = "another";
    expect(await compared()).toMatchObject({ method: "digest", equal: 1, onlySource: 1, onlyTarget: 1, different: 1 });
  } finally {
    await bench.close();
    await folder.remove();
  }
});
