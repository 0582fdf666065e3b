import { workspaceProblem, type WorkspaceProblem } from "./workspace-problem.js";
import type { AnyWorkspace } from "./workspace-diff.js";

type Path = readonly (string | number)[];

/** Monitors of systems that are named twice, or that no endpoint is. */
export function monitorProblems(
  document: AnyWorkspace,
  checkEndpoint: (key: string, at: Path) => readonly WorkspaceProblem[],
): readonly WorkspaceProblem[] {
  return document.systems.flatMap((system, index) => {
    const seen = new Set<string>();
    return system.monitoredBy.flatMap(({ endpoint }, at) => {
      const path = ["systems", index, "monitoredBy", at, "endpoint"];
      const isRepeated = seen.has(endpoint);
      seen.add(endpoint);
      if (isRepeated)
        return [workspaceProblem(path, `Found "${endpoint}" twice among the monitors of "${system.key}". Put all its resources in one.`)];
      return checkEndpoint(endpoint, path);
    });
  });
}
