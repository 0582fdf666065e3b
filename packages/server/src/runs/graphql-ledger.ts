import { DomainError } from "@quiesce/core";
import { readNow } from "../command.js";
import { builder } from "../graphql/builder.js";
import { RunStateCountRef, stateCounts } from "./graphql-run-state.js";
import { conservation, type Conservation } from "./ledger.js";

const read = { authScopes: { can: "runs.read" } } as const;
const DAY_MS = 86_400_000;

/** Whether every due time is accounted for. */
export function defineLedger(): void {
  const DifferenceRef = builder.objectRef<Conservation["differences"][number]>("LedgerDifference").implement({
    description: "A due time that the schedule's history expects and the ledger lacks, or the other way round.",
    fields: (t) => ({
      job: t.exposeString("job", { description: "The job's key." }),
      kind: t.exposeString("kind", { description: "missing or unexpected." }),
      dueAt: t.expose("dueAt", { type: "DateTime", description: "The due time." }),
    }),
  });
  const ConservationRef = builder.objectRef<Conservation>("Conservation").implement({
    description: "Due times recomputed from the schedules' history against those accounted for. A difference is a fault of Quiesce.",
    fields: (t) => ({
      ok: t.boolean({
        description: "True when nothing differs.",
        resolve: (row) => row.differences.length === 0 && row.expected === row.accounted,
      }),
      from: t.expose("from", { type: "DateTime", description: "Due at or after." }),
      to: t.expose("to", { type: "DateTime", description: "Due before." }),
      expected: t.exposeInt("expected", { description: "Due times that the schedules imply." }),
      accounted: t.exposeInt("accounted", { description: "Due times that are a run, or inside the range of one." }),
      byState: t.field({
        type: [RunStateCountRef],
        description: "The accounted ones by state.",
        resolve: (row) => stateCounts(row.byState),
      }),
      differences: t.field({
        type: [DifferenceRef],
        description: "What differs; at most 1,000 are listed.",
        resolve: (row) => row.differences,
      }),
    }),
  });
  builder.queryField("conservation", (t) =>
    t.field({
      type: ConservationRef,
      ...read,
      description: "Checks that every due time of a period is accounted for exactly once; the last 24 hours when no period is given.",
      complexity: 1_000,
      args: {
        from: t.arg({ type: "DateTime", description: "Due at or after." }),
        to: t.arg({ type: "DateTime", description: "Due before; at most 31 days after `from`." }),
      },
      resolve: async (_root, args, { database, zones }) => {
        const to = args.to ?? (await readNow(database.db));
        const from = args.from ?? to - DAY_MS;
        if (from >= to || to - from > 31 * DAY_MS)
          throw new DomainError("QSC_LEDGER_PERIOD", "The period must be at least a millisecond and at most 31 days long.", {
            field: "from",
          });
        return conservation(database.db, zones, { from, to });
      },
    }),
  );
}
