import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { graphiqlPage } from "./graphiql-page.js";

/** Runs the page's first script of ours in something like a browser's tab, and answers how the tab sends requests. */
async function openPage(address: string, stored: Map<string, string> = new Map()) {
  const script = /<script>(\(\(\) => \{\s+const given[\s\S]+?)<\/script>/.exec(await graphiqlPage({ title: "Quiesce" }))?.[1] ?? "";
  const location = new URL(address);
  const sent: Request[] = [];
  const shown: string[] = [];
  // The script puts its own in this place, and calls this one with what is sent.
  const page: { fetch: (input: string | Request, init?: RequestInit) => void } = {
    fetch: (request) => void sent.push(new Request(request)),
  };
  runInNewContext(script, {
    window: page,
    location,
    URL,
    URLSearchParams,
    Request,
    history: { replaceState: (_state: null, _title: string, path: string) => void shown.push(path) },
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
    },
  });
  const authorization = (url: string, headers: Record<string, string> = {}) => {
    page.fetch(url, { headers });
    return sent.at(-1)?.headers.get("authorization") ?? null;
  };
  return { authorization, shown, stored };
}

const GRAPHQL = "http://127.0.0.1:4000/graphql";

describe("the GraphiQL page", () => {
  it("sends the token of its address with every operation, keeps it for the tab and takes it out of the address", async () => {
    const page = await openPage(`${GRAPHQL}#token=qsc_first`);
    expect(page.shown).toEqual(["/graphql"]);
    expect(page.authorization(GRAPHQL)).toBe("Bearer qsc_first");
    expect((await openPage(GRAPHQL, page.stored)).authorization(GRAPHQL)).toBe("Bearer qsc_first");
  });

  it("sends no token when it has none, none to other servers, and leaves a header that was written by hand", async () => {
    expect((await openPage(GRAPHQL)).authorization(GRAPHQL)).toBeNull();
    const page = await openPage(`${GRAPHQL}#token=qsc_first`);
    expect(page.authorization("https://elsewhere.example/graphql")).toBeNull();
    expect(page.authorization(GRAPHQL, { authorization: "Bearer qsc_other" })).toBe("Bearer qsc_other");
  });
});
