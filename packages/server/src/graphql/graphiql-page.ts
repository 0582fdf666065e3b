import type { GraphiQLOptions } from "graphql-yoga";

/** The page's key in the browser's session storage: forgotten with the tab. */
const STORED_AS = "quiesce-token";

/**
 * The GraphiQL page with its scripts inside (the usual one fetches them from the internet), and above it a line for the API token. GraphiQL has headers
 * a tab; a token is pasted once and goes with every operation to this server. `#token=…` in the address does the same, and leaves the address bar.
 */
export async function graphiqlPage(options: GraphiQLOptions | undefined): Promise<string> {
  // It is large, so it is read when first asked for.
  const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
  return renderGraphiQL(options ?? {})
    .replace("</head>", () => `${style}<script>${sendToken}</script></head>`)
    .replace(/<body[^>]*>/, (body) => `${body}${form}<script>${fillForm}</script>`);
}

const style = `<style>
  body { display: flex; flex-direction: column; height: 100vh; margin: 0; overflow: hidden; }
  body > #root { flex: 1; min-height: 0; width: 100%; height: auto; }
  body > #root > * { height: 100%; }
  #token { display: flex; gap: 8px; align-items: center; padding: 6px 12px; font: 14px system-ui, sans-serif; background: #eef1f6; color: #333c4f; }
  #token input { flex: 0 1 380px; padding: 4px 8px; border: 1px solid #b7c0ce; border-radius: 4px; font: 13px monospace; }
  #token button { padding: 4px 10px; border: 1px solid #b7c0ce; border-radius: 4px; background: #fff; cursor: pointer; }
  #token[hidden] { display: none; }
</style>`;

const form = `<form id="token" autocomplete="off">
  <label for="token-text">API token</label>
  <input id="token-text" type="password" placeholder="qsc_… as the first start printed it, or of: quiesce token create" />
  <button type="submit">Use it in every tab</button>
  <span id="token-state"></span>
  <a id="sign-in" href="/auth/sign-in?returnTo=%2Fgraphql">Sign in</a>
</form>`;

const sendToken = `(() => {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem("${STORED_AS}", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  const plainFetch = window.fetch;
  window.fetch = (input, init) => {
    const request = new Request(input, init);
    const token = sessionStorage.getItem("${STORED_AS}");
    if (token !== null && new URL(request.url).origin === location.origin && !request.headers.has("authorization"))
      request.headers.set("authorization", "Bearer " + token);
    return plainFetch(request);
  };
})();`;

const fillForm = `(() => {
  const token = document.getElementById("token");
  const text = document.getElementById("token-text");
  if (sessionStorage.getItem("${STORED_AS}") !== null) {
    document.getElementById("token-state").textContent = "A token is in use until this tab is closed. An empty one forgets it.";
    text.placeholder = "••••••";
  } else {
    // Without a token the session of this browser counts.
    fetch("/graphql", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query: "{ me { name } }" }) })
      .then((response) => response.json())
      .then(({ data }) => {
        if (!data) return;
        document.getElementById("token-state").textContent = "Signed in as " + data.me.name + ".";
        document.getElementById("sign-in").textContent = "Sign out";
      })
      .catch(() => undefined);
  }
  token.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = text.value.trim();
    if (value === "") sessionStorage.removeItem("${STORED_AS}");
    else sessionStorage.setItem("${STORED_AS}", value);
    location.reload();
  });
})();`;
