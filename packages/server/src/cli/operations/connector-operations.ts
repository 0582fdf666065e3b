import { z } from "zod";
import { operation } from "../graphql-client.js";

const connector = z.object({
  name: z.string(),
  connectorId: z.string().nullable(),
  package: z.string().nullable(),
  version: z.string().nullable(),
  stability: z.string().nullable(),
  isolation: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  facets: z.array(z.object({ name: z.string(), stability: z.string() })),
});
export type ConnectorAnswer = z.output<typeof connector>;
const FIELDS = "name connectorId package version stability isolation state reason facets { name stability }";

export const listConnectors = operation(`query Connectors { connectors { ${FIELDS} } }`, z.object({ connectors: z.array(connector) }));

export const reloadConnectors = operation(
  `mutation ReloadConnectors($input: ReloadConnectorsInput!) { reloadConnectors(input: $input) { added changed removed failed connectors { ${FIELDS} } } }`,
  z.object({
    reloadConnectors: z.object({
      added: z.array(z.string()),
      changed: z.array(z.string()),
      removed: z.array(z.string()),
      failed: z.array(z.string()),
      connectors: z.array(connector),
    }),
  }),
);
