import { parseDocument } from "yaml";
import { WORKSPACE_TEXT_MAX_BYTES } from "./workspace-text.js";

const MAX_ALIASES = 100;

export type ForeignText = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

/** The value that another tool's JSON or YAML says. Messages repeat nothing of the text: such files hold secrets. */
export function readForeignText(text: string): ForeignText {
  if (Buffer.byteLength(text) > WORKSPACE_TEXT_MAX_BYTES)
    return { ok: false, message: `It is larger than ${WORKSPACE_TEXT_MAX_BYTES / 1024 / 1024} MiB. Import it in parts.` };
  const document = parseDocument(text, { prettyErrors: false, version: "1.2", logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) return { ok: false, message: `It is neither YAML nor JSON: ${error.code} at character ${error.pos[0] + 1}.` };
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (failure) {
    // A ReferenceError is how the parser says that aliases unfold too far or lead nowhere.
    if (!(failure instanceof ReferenceError)) throw failure;
    return { ok: false, message: `Its aliases lead nowhere or unfold more than ${MAX_ALIASES} times. Write the values out.` };
  }
}
