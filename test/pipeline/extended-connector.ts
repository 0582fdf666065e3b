import { type Connector, defineConnector, type Definition, type z } from "@quiesce/sdk";

/** The same connector with more facets. */
export function extendedConnector(connector: Connector, more: Partial<Connector>): Connector {
  // What defineConnector itself adds is no part of a definition.
  const definition = Object.fromEntries(Object.entries(connector).filter(([name]) => name !== "toManifest"));
  return defineConnector({ ...definition, ...more } as unknown as Definition<z.ZodType, z.ZodType>);
}
