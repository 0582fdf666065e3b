import { z } from "zod";

/** The form of every key: lower-case letters, digits and dashes, 1 to 63 characters, not a dash first. */
export const SLUG_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** A key of the catalogue: stable, chosen by people, accepted wherever an id is. */
export const slugSchema = z
  .string()
  .regex(SLUG_PATTERN, "Expected a key of lower-case letters, digits and dashes, at most 63 characters, beginning with a letter or digit.");

/** A free label that people filter by. Longer and wider than a key: `gdpr`, `team:finance`, `Region EU`. */
export const tagSchema = z
  .string()
  .regex(
    /^[^\s,]([^,\n\r\t]{0,61}[^\s,])?$/,
    "Expected a tag of 1 to 63 characters without commas, tabs, line breaks or blanks at its ends.",
  );
