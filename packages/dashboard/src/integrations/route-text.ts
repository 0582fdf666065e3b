interface Stop {
  readonly role?: "SOURCE" | "VIA" | "TARGET" | undefined;
  readonly name: string;
}

/** The way of the data: ERP → Shop. Systems that it only touches have no order among them: ERP, Shop. */
export function routeText(stops: readonly Stop[]): string {
  return (["SOURCE", "VIA", "TARGET"] as const)
    .map((wanted) =>
      stops
        .filter(({ role }) => role === wanted)
        .map(({ name }) => name)
        .join(", "),
    )
    .filter((names) => names !== "")
    .join(" → ");
}
