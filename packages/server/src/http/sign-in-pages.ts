import { pagePolicy } from "./security-headers.js";

/** A page of the sign-in, with the policy that lets its own script run and nothing else. */
export interface SignInPage {
  readonly html: string;
  readonly policy: string;
}

/** What is offered to somebody who is not signed in, or who is. */
export function offerPage(offer: {
  /** The provider's host, where there is one. */
  readonly provider: string | null;
  readonly returnTo: string;
  /** Who is signed in. */
  readonly name: string | null;
}): SignInPage {
  const query = `?returnTo=${encodeURIComponent(offer.returnTo)}`;
  if (offer.name !== null)
    return page({
      title: "Signed in",
      body: `<p>You are signed in as <strong>${escaped(offer.name)}</strong>.</p>
        <p><a class="button" href="${escaped(offer.returnTo)}">Go on</a> <button type="button" id="sign-out">Sign out</button></p><p id="state" role="status"></p>`,
      script: signOutScript,
    });
  const byProvider =
    offer.provider === null ? "" : `<p><a class="button" href="/auth/oidc/start${query}">Sign in at ${escaped(offer.provider)}</a></p>`;
  return page({
    title: "Sign in",
    body: `${byProvider}
      <p>${offer.provider === null ? "You need" : "Or use"} a link that is good once. On the server's machine it is made with</p>
      <pre>quiesce sign-in-link</pre>
      <p>Programs show an API token in the header and need no session.</p>`,
  });
}

/** Takes the secret out of the address, where no server's log has it, and sends it when a person says so: whatever looks at links ahead uses nothing up. */
export function linkPage(): SignInPage {
  return page({
    title: "Sign in with a link",
    body: `<p id="state" role="status">This link signs this browser in, once.</p>
      <p><button type="button" id="enter">Sign in</button></p>
      <noscript><p>This page needs JavaScript, because the link's secret is in a part of the address that browsers keep to themselves.</p></noscript>`,
    script: linkScript,
  });
}

/** A refusal, in words and with its code. */
export function refusalPage(refusal: { readonly message: string; readonly code: string }): SignInPage {
  return page({
    title: "Not signed in",
    body: `<p>${escaped(refusal.message)}</p><p><a class="button" href="/auth/sign-in">Begin again</a></p><p><small>${escaped(refusal.code)}</small></p>`,
  });
}

const linkScript = `(() => {
  const secret = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  const state = document.getElementById("state");
  const enter = document.getElementById("enter");
  if (secret === "") {
    state.textContent = "This address has no link in it, or it was used in this tab. Make another one: quiesce sign-in-link.";
    enter.hidden = true;
    return;
  }
  enter.addEventListener("click", async () => {
    enter.disabled = true;
    try {
      const response = await fetch("/auth/link", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ secret }) });
      const answer = await response.json();
      if (response.ok) return location.replace(answer.returnTo);
      state.textContent = answer.error.message;
    } catch {
      state.textContent = "The server does not answer. Try again.";
    }
    enter.disabled = false;
  });
})();`;

const signOutScript = `(() => {
  const state = document.getElementById("state");
  document.getElementById("sign-out").addEventListener("click", async () => {
    const response = await fetch("/auth/sign-out", { method: "POST" }).catch(() => null);
    if (response?.ok) location.replace("/auth/sign-in");
    else state.textContent = "This did not work. Try again.";
  });
})();`;

const style = `<style>
  body { margin: 12vh auto; max-width: 30rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: #1d2433; background: #fff; }
  h1 { font-size: 1.4rem; }
  .button, button { display: inline-block; padding: 0.5rem 1rem; border: 1px solid #3a5bc7; border-radius: 6px; background: #3a5bc7; color: #fff; font: inherit; text-decoration: none; cursor: pointer; }
  button#sign-out { background: #fff; color: #3a5bc7; }
  button:focus-visible, a:focus-visible { outline: 3px solid #97aee8; outline-offset: 2px; }
  pre { padding: 0.5rem 0.75rem; border-radius: 6px; background: #eef1f6; }
  @media (prefers-color-scheme: dark) { body { color: #e4e8f1; background: #171b26; } pre { background: #252b3a; } button#sign-out { background: #171b26; color: #97aee8; } }
</style>`;

function page({ title, body, script }: { readonly title: string; readonly body: string; readonly script?: string }): SignInPage {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Quiesce</title>
${style}
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
${script === undefined ? "" : `<script>${script}</script>`}
</body>
</html>
`;
  return { html, policy: pagePolicy(html) };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
