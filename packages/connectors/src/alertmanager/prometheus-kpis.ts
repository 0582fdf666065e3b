import { z, type Kpi } from "@quiesce/sdk";
import { parseAnswer, send, type AlertmanagerContext } from "./alertmanager-request.js";

/** Samples of one query that are kept: one that gives more says too little about each. */
const MAX_SAMPLES = 100;

/** `[epoch seconds, "number"]`. */
const sample = z.tuple([z.number(), z.string()]);
const answerSchema = z.object({
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("scalar"), result: sample }),
    z.object({ resultType: z.literal("vector"), result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: sample })) }),
  ]),
});

/** Asks Prometheus for each configured figure, as of now. Not-a-numbers and infinities are left out. */
export async function prometheusKpis(x: AlertmanagerContext): Promise<readonly Kpi[]> {
  const { prometheus } = x.config;
  const kpis: Kpi[] = [];
  for (const { kpi, query, labels } of prometheus?.queries ?? []) {
    const text = await send(x, prometheus?.url ?? "", `/api/v1/query?${new URLSearchParams({ query }).toString()}`);
    const { data } = parseAnswer(answerSchema, text, `The query for ${kpi}`);
    const samples = data.resultType === "scalar" ? [{ metric: {}, value: data.result }] : data.result.slice(0, MAX_SAMPLES);
    for (const { metric, value } of samples) {
      const [atSeconds, number] = [value[0], Number(value[1])];
      if (!Number.isFinite(number)) continue;
      const kept = Object.fromEntries(Object.entries(metric).filter(([name]) => labels.includes(name)));
      kpis.push({
        name: kpi,
        value: number,
        at: new Date(atSeconds * 1_000).toISOString(),
        ...(labels.length === 0 ? {} : { labels: kept }),
      });
    }
  }
  return kpis;
}
