import { useMemo } from "react";
import type { Refusal } from "@quiesce/client";
import { useLiveQuery } from "../app/live.js";
import { type KpiName, kpiNames, kpiOfName } from "./kpi-names.js";
import { type FigureNowFragment, type Kpi, KpisNowDocument } from "./kpis.generated.js";
import type { Question } from "./kpis-page.js";

/** A figure of a period and of the one before. */
export interface FigureNow {
  readonly name: KpiName;
  readonly kpi: Kpi;
  readonly unit: string;
  readonly now: number | null;
  readonly before: number | null;
}

/** Every figure in the order in which they are shown; undefined until they are read. */
export function useFigures({ variables: { scope, from, to } }: Pick<Question, "variables">): {
  readonly figures: readonly FigureNow[] | undefined;
  readonly refusal: Refusal | null;
  readonly again: () => void;
} {
  const variables = useMemo(() => ({ scope, from, to }), [scope, from, to]);
  const { data, refusal, again } = useLiveQuery(KpisNowDocument, variables);
  const figures = useMemo(() => (data === undefined ? undefined : figuresOf(Object.values(data))), [data]);
  return { figures, refusal, again };
}

function figuresOf(answers: readonly (FigureNowFragment | string | undefined)[]): readonly FigureNow[] {
  return kpiNames.flatMap((name): readonly FigureNow[] => {
    const kpi = kpiOfName(name);
    const answer = answers.find((one): one is FigureNowFragment => typeof one === "object" && one.kpi === kpi);
    if (answer === undefined) return [];
    return [{ name, kpi, unit: answer.unit, now: answer.current.value, before: answer.previous.value }];
  });
}

/** Neither in the period nor in the one before: it says nothing, and is folded. */
export function isUnmeasured({ now, before }: Pick<FigureNow, "now" | "before">): boolean {
  return now === null && before === null;
}

/** The figure that is drawn: what the address asks for, else the first that says something. */
export function drawnOf(figures: readonly FigureNow[], asked: KpiName | undefined): KpiName {
  return asked ?? figures.find((one) => !isUnmeasured(one))?.name ?? "response-time";
}

/** Why a figure may have nothing, by who makes its samples. */
export type UnmeasuredReason = "HANDED" | "QUEUE" | "CHECKS" | "RUNS";

/** What is handed in, with the metric as it has to be named. */
const handedMetrics: { readonly [kpi in Kpi]?: string } = {
  RESPONSE_TIME: "response",
  DELIVERY_SUCCESS: "delivery",
  SYNC_ACCURACY: "sync",
  QUEUE_DEPTH: "queue.depth",
};

export function whyUnmeasured(kpi: Kpi): { readonly reason: UnmeasuredReason; readonly metric: string } {
  const metric = handedMetrics[kpi] ?? "";
  if (kpi === "CHECK_TIME") return { reason: "CHECKS", metric };
  if (kpi === "QUEUE_DEPTH") return { reason: "QUEUE", metric };
  return { reason: metric === "" ? "RUNS" : "HANDED", metric };
}
