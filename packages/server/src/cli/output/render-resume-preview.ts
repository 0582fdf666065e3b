import type { Output } from "../cli.js";
import type { ResumePreviewAnswer } from "../operations/preview-operations.js";
import { count } from "./list-text.js";
import { renderTable } from "./render-table.js";

/** What a release now would make of what waits: `37 missed -> 1 run`. */
export function renderResumePreview(jobs: ResumePreviewAnswer, output: Output): readonly string[] {
  if (jobs.length === 0) return ["Nothing waits for it."];
  return renderTable(
    [
      { title: "JOB", value: (one) => one.job, flexible: true },
      { title: "CATCH-UP", value: (one) => one.catchUp.toLowerCase() },
      { title: "RELEASED NOW", value: (one) => `${one.dueTimes} missed -> ${count(one.runsAfter, "run")}` },
      { title: "SKIPPED", value: (one) => String(one.skipped), align: "right" },
      { title: "KEPT BY OTHERS", value: (one) => String(one.keptByOthers), align: "right" },
    ],
    jobs,
    { width: output.columns(), styles: output.styles },
  );
}
