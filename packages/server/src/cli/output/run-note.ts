/** What is worth saying of a run beside its state: what held it, why it failed. */
export function runNote(run: {
  readonly state: string;
  readonly reason: string | null;
  readonly error?: unknown;
  readonly heldBy: readonly { readonly title: string }[];
}): string {
  const message = typeof run.error === "object" && run.error !== null && "message" in run.error ? String(run.error.message) : undefined;
  if (message !== undefined) return message;
  if (run.state === "HELD" && run.heldBy.length > 0) return `held by ${run.heldBy.map((hold) => hold.title).join(", ")}`;
  return run.reason ?? "";
}
