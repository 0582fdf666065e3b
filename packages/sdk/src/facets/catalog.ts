import type { Context } from "../context.js";
import type { JsonObject } from "../json.js";
import type { Cursor } from "../record.js";

/** A thing of the landscape, and what it needs. @experimental */
export interface CatalogItem {
  /** The name that identifies it in its system, as in `Alert.resource.name`. */
  readonly id: string;
  readonly kind: string;
  /** The name people see. */
  readonly name: string;
  readonly owner?: string;
  readonly tier?: string;
  /** Ids of what it cannot work without. */
  readonly dependsOn?: readonly string[];
  readonly attributes?: JsonObject;
}

/** Part of a catalogue. @experimental */
export interface CatalogPage {
  /** `full`: the pages of this listing hold everything, what is absent is gone. `delta`: only what changed, with `removed`. */
  readonly type: "full" | "delta";
  readonly items: readonly CatalogItem[];
  readonly removed?: readonly string[];
  readonly cursor: Cursor | null;
  readonly more: boolean;
}

/** What the system knows about other systems and their dependencies. @experimental */
export interface CatalogFacet<C, S> {
  catalog?(x: Context<C, S>, request: { readonly cursor: Cursor | null }): AsyncIterable<CatalogPage>;
}
