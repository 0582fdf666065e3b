import { changeSeries, DomainError, type SeriesChanges, type WindowInput } from "@quiesce/core";

/** What to change about a window; what is left out stays, also inside of `drain`, `resume` and, by `seriesChanges`, of the series. */
export type WindowChanges = Partial<WindowInput> & { readonly seriesChanges?: SeriesChanges | undefined };

/** The window as a person would write it, with these changes. Throws QSC_WINDOW_INVALID for a series that is given twice. */
export function withChanges(window: WindowInput, changes: WindowChanges): WindowInput {
  const { seriesChanges, ...said } = changes;
  if (seriesChanges !== undefined && said.series !== undefined)
    throw new DomainError("QSC_WINDOW_INVALID", "Give the whole series, or seriesChanges: one of them.", { field: "seriesChanges" });
  return {
    ...window,
    ...said,
    ...(seriesChanges === undefined ? {} : { series: changeSeries(window.series, seriesChanges) }),
    drain: { ...window.drain, ...said.drain },
    resume: { ...window.resume, ...said.resume, readiness: { ...window.resume?.readiness, ...said.resume?.readiness } },
  };
}
