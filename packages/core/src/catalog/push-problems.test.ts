import { describe, expect, it } from "vitest";
import { parseWorkspace, minimalWorkspace } from "./workspace-document.js";
import { workspaceProblems } from "./workspace-references.js";

const stream = { stream: "orders", mapping: { fields: { id: { from: "id" } } }, push: true };
const base = {
  quiesce: 1,
  systems: [{ key: "erp" }],
  endpoints: [{ key: "erp-in", system: "erp", connector: "postgres" }],
};
const integration = { key: "web", target: "erp-in", streams: [stream] };
const job = { key: "web-push", integration: "web", push: true };

function documentOf(input: object) {
  const parsed = parseWorkspace({ ...base, ...input });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
}

const problems = (input: object, standing?: object) =>
  workspaceProblems(documentOf(input), standing === undefined ? {} : { standing: documentOf(standing) }).map(({ path, message }) => [
    path,
    message,
  ]);

describe("records that are pushed", () => {
  it("need no source, one job, and are written as short as they were", () => {
    const document = documentOf({ integrations: [integration], jobs: [job] });
    expect(workspaceProblems(document)).toEqual([]);
    expect(minimalWorkspace(document)).toEqual({ ...base, integrations: [integration], jobs: [job] });
  });

  it("are refused without a job, with two, with a schedule, and a job without a pushed stream", () => {
    expect(problems({ integrations: [integration] })).toMatchObject([
      ["integrations[0].streams[0].push", expect.stringContaining("no job delivers")],
    ]);
    const two = problems({ integrations: [integration], jobs: [job, { ...job, key: "other" }] });
    expect(two.map(([path]) => path)).toEqual(["jobs[0].push", "jobs[1].push"]);
    const scheduled = problems({ integrations: [integration], jobs: [{ ...job, schedule: { every: "5m" } }] });
    expect(scheduled).toMatchObject([["jobs[0].push", expect.stringContaining("Take its schedule away")]]);
    const read = { ...integration, source: "erp-in", streams: [{ ...stream, push: false }] };
    expect(problems({ integrations: [read], jobs: [job] })).toMatchObject([
      ["jobs[0].push", expect.stringContaining("no stream with push: true")],
    ]);
  });

  it("may come in parts: what stands already counts", () => {
    const standing = { integrations: [integration], jobs: [job] };
    expect(problems({ integrations: [{ ...integration, name: "Web" }] }, standing)).toEqual([]);
    expect(problems({ jobs: [{ ...job, timeout: "5m" }] }, standing)).toEqual([]);
    expect(problems({ jobs: [{ ...job, push: false }] }, standing)).toMatchObject([
      ["jobs[0].push", expect.stringContaining("no job delivers")],
    ]);
    expect(
      problems(
        {
          jobs: [
            { ...job, push: false },
            { ...job, key: "next" },
          ],
        },
        standing,
      ),
    ).toEqual([]);
  });
});
