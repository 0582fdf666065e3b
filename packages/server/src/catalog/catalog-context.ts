import type { CommandContext } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";

/** What a connector says about an endpoint's settings before they are saved; paths are dotted below the endpoint: `config.url`. */
export type CheckEndpoint = (endpoint: {
  readonly connector: string;
  readonly config: { readonly [name: string]: unknown };
  readonly secretNames: readonly string[];
}) => Promise<readonly { readonly path: string; readonly message: string }[]>;

/** What a command of the catalogue needs beside its input. */
export interface CatalogContext extends CommandContext {
  readonly keys: KeyRing;
  /** Left out, any connector and any settings are taken. */
  readonly checkEndpoint?: CheckEndpoint;
  /** Names that may lead what this server fetches into private networks. */
  readonly privateHosts?: readonly string[];
}

export interface ApplyOptions {
  /** Also deletes what the document does not name. */
  readonly prune?: boolean | undefined;
  /** Answers what would be done and does nothing. */
  readonly dryRun?: boolean | undefined;
  readonly reason?: string | undefined;
  /** Why changes are planned although freezes block them. */
  readonly overrideFreeze?: string | undefined;
}
