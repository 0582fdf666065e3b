import type { CommandContext } from "../command.js";
import type { NoticeCalls } from "../connector-host/notice-calls.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { FreezeHandling } from "../windows/refuse-in-freeze.js";

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
  /** The configVersion of a connector that is loaded; null of one that is not. Left out, endpoints are looked at when they are used. */
  readonly configVersionOf?: (connector: string) => number | null;
  /** Mails to teams go through endpoints by this. Left out, none can be tried. */
  readonly notices?: NoticeCalls;
  /** For how many days the server keeps samples of which nothing is said; as usual when left out. */
  readonly sampleRetentionDays?: number | undefined;
  /** Names that may lead what this server fetches into private networks. */
  readonly privateHosts?: readonly string[];
}

/** What `listFreezes` is given belongs to a dry run: changes of the document that would fall into freezes. */
export interface ApplyOptions extends Omit<FreezeHandling, "keepInFreeze"> {
  /** Also deletes what the document does not name. */
  readonly prune?: boolean | undefined;
  /** Answers what would be done and does nothing. */
  readonly dryRun?: boolean | undefined;
  readonly reason?: string | undefined;
  /** What the versions of integrations say of where they come from; an apply when left out. */
  readonly origin?:
    | { readonly kind: "rollback"; readonly restores: number }
    | { readonly kind: "promotion"; readonly trial: number }
    | undefined;
}
