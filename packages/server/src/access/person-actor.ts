import { describeGrants, type Grant } from "@quiesce/core";
import type { Actor } from "../command.js";

/** Somebody who signs in, as the audit trail names them. */
export function personActor(name: string, grants: readonly Grant[]): Actor {
  return { kind: "person", name, role: describeGrants(grants) };
}
