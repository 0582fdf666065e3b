import { z } from "zod";
import { nearestName } from "./nearest-name.js";

/** An object schema that refuses unknown keys and names the known key that was probably meant. */
export function strictObject<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      return unknownKeys(Array.isArray(issue["keys"]) ? issue["keys"].map(String) : [], known);
    },
  });
}

function unknownKeys(found: readonly string[], known: readonly string[]): string {
  const parts = found.slice(0, 5).map((key) => {
    const nearest = nearestName(key, known);
    return `"${key.slice(0, 64)}"${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`;
  });
  const more = found.length > 5 ? ` and ${found.length - 5} more` : "";
  return `Unknown ${found.length === 1 ? "key" : "keys"} ${parts.join(", ")}${more}. Known here: ${known.join(", ")}.`;
}
