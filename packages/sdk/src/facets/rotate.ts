import type { Context } from "../context.js";

/** New secrets, as the system gave them. @experimental */
export interface IssuedSecrets {
  /** By name; those that are not named stay as they are. Every name is one of {@link RotateCapability.secrets}. */
  readonly secrets: { readonly [name: string]: string };
  /** When the system ends them by itself, ISO 8601 with an offset. */
  readonly expiresAt?: string;
}

/** What is asked of {@link RotateCapability.issue}. @experimental */
export interface IssueRequest {
  /**
   * The same for every try of one rotation, and no other. A try may be repeated after its answer was lost: then either give what the first one gave,
   * or take away (or make useless) what it left.
   */
  readonly key: string;
  /** Grows with every try, over all rotations of the endpoint. A system that can keep it refuses what comes late from an older try. */
  readonly fence: number;
}

/** Replacing an endpoint's secrets while runs go on. @experimental */
export interface RotateCapability<C, S> {
  /** The secrets that change together. Also a person who hands in new ones may give these. */
  readonly secrets: readonly string[];
  /** Whether `issue` works with this configuration; if absent, it always does. */
  canIssue?(config: C): boolean;
  /** Likewise for `revoke`. */
  canRevoke?(config: C): boolean;
  /**
   * Gets new secrets from the system; `x.secrets` are those in force, which must stay good. Absent where systems have no such thing: then a person hands
   * the new ones in. The host tests them with `check` before anything uses them.
   */
  issue?(x: Context<C, S>, request: IssueRequest): Promise<IssuedSecrets>;
  /**
   * Ends secrets at the system; `x.secrets` are those that stay. Called when no run works with the old ones any more, and for new ones that did not
   * stand their test. End only what differs from `x.secrets`. Must bear a second call: what is gone already is a success.
   */
  revoke?(x: Context<C, S>, old: S): Promise<void>;
}

/** Replacing an endpoint's secrets while runs go on. @experimental */
export interface RotateFacet<C, S> {
  readonly rotate?: RotateCapability<C, S>;
}
