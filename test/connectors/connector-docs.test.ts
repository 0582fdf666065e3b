import { readFileSync } from "node:fs";
import { join } from "node:path";
import { firstPartyConnectors } from "@quiesce/connectors";
import { parseSettings } from "@quiesce/sdk";
import { describe, expect, test } from "vitest";
import { readWorkspaceText } from "../../packages/server/src/catalog/workspace-text.js";
import { blocksOf, root } from "../docs/markdown.js";

const path = "docs/connectors.md";
const text = readFileSync(join(root, path), "utf8");
const endpoints = blocksOf({ path, text })
  .filter(({ language }) => language === "yaml")
  .flatMap(({ code }) => {
    const read = readWorkspaceText(code, { fileName: path });
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    return read.document.endpoints;
  });

describe("docs/connectors.md", () => {
  test.each(endpoints.map((endpoint) => [endpoint.connector, endpoint] as const))(
    "shows a configuration that the connector %s takes",
    async (id, endpoint) => {
      const connector = firstPartyConnectors.find((candidate) => candidate.id === id);
      if (connector === undefined) throw new Error(`there is no connector ${id}`);
      expect(await parseSettings(connector.config, endpoint.config)).toMatchObject({ ok: true });
      const known = connector.toManifest().secrets["properties"];
      for (const name of Object.keys(endpoint.secrets ?? {})) expect(known).toHaveProperty(name);
    },
  );

  test("has a section and an example for each connector for data", () => {
    const documented = ["mariadb", "rabbitmq", "nats", "redis", "mqtt", "smtp", "webhook", "tryton"];
    expect(endpoints.map(({ connector }) => connector)).toEqual(documented);
  });
});
