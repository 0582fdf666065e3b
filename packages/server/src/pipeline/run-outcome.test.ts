import { ConnectorError } from "@quiesce/sdk";
import { expect, it } from "vitest";
import { failedOutcome } from "./run-outcome.js";

it("a long message is never cut through a surrogate pair, and keeps no zero character", () => {
  const outcome = failedOutcome(new ConnectorError("invalid", `\0${"a".repeat(1_998)}\u{1f600} and more`), {});
  expect(outcome).toMatchObject({ error: { message: `\ufffd${"a".repeat(1_998)}` } });
});
