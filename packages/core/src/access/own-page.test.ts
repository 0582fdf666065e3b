import { describe, expect, it } from "vitest";
import { isOwnPage } from "./own-page.js";
import { returnPath } from "./return-path.js";

const own = ["https://quiesce.example.com"];
const asks = (method: string, origin?: string, fetchSite?: string) => isOwnPage({ method, origin, fetchSite }, own);

describe("a request that shows only a cookie", () => {
  it("is of our own page when its Origin is, letter by letter", () => {
    expect(asks("POST", "https://quiesce.example.com")).toBe(true);
    for (const origin of [
      "null",
      "",
      "http://quiesce.example.com",
      "https://quiesce.example.com:8443",
      "https://quiesce.example.com.evil.example",
      "https://evil.example",
      "https://other.example.com",
      "https://quiesce.example.com/",
    ])
      for (const method of ["GET", "POST"]) expect(asks(method, origin, "same-origin"), origin).toBe(false);
  });

  it("without an Origin is believed by the browser's word on the site, and may change nothing without it", () => {
    expect(asks("POST", undefined, "same-origin")).toBe(true);
    for (const site of ["cross-site", "same-site", "none", "nonsense", ""]) expect(asks("POST", undefined, site), site).toBe(false);
    expect(asks("POST")).toBe(false);
    expect([asks("GET"), asks("GET", undefined, "none"), asks("GET", undefined, "same-origin")]).toEqual([true, true, true]);
    for (const site of ["cross-site", "same-site"]) expect(asks("GET", undefined, site), site).toBe(false);
  });
});

describe("where a browser goes after signing in", () => {
  it("is a path of our own", () => {
    for (const path of ["/", "/graphql", "/graphql?query=%7B%7D#x", "/windows/erp?from=2026-11-20", "/a/%2F%2Fb"])
      expect(returnPath(path, "/other")).toBe(path);
  });

  it("is never another site, however it is spelled", () => {
    for (const path of [
      undefined,
      null,
      "",
      "graphql",
      "https://evil.example",
      "//evil.example",
      "///evil.example",
      "/\\evil.example",
      "/\t/evil.example",
      "/\n/evil.example",
      "\\\\evil.example",
      " //evil.example",
      "/..//evil.example",
      "/.//evil.example",
      "/a/..//evil.example",
      "javascript:alert(1)",
      "/ok\r\nset-cookie: a=b",
      "/auth/sign-out",
      "/x/../auth/link",
      `/${"a".repeat(2_000)}`,
    ])
      expect(returnPath(path, "/other"), String(path)).toBe("/other");
  });
});
