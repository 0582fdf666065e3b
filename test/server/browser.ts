/** A browser as far as signing in goes: it keeps cookies, sends its origin, and follows no redirect by itself. */
export interface Browser {
  readonly cookies: Map<string, string>;
  readonly cookieHeader: string;
  get(address: string | URL, headers?: Record<string, string>): Promise<Response>;
  post(address: string | URL, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

let opened = 0;

/** `address` is what a proxy on this machine says of it: one of its own when left out, so that what one browser does wrong is held against no other. */
export function openBrowser({ address = `198.18.${(opened += 1) >> 8}.${opened & 255}` }: { readonly address?: string } = {}): Browser {
  const cookies = new Map<string, string>();
  const header = () => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const send = async (
    target: string | URL,
    init: { readonly method?: string; readonly body?: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<Response> => {
    const headers = { "x-forwarded-for": address, ...(cookies.size === 0 ? {} : { cookie: header() }), ...init.headers };
    const response = await fetch(target, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0(;|$)/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  return {
    cookies,
    get cookieHeader() {
      return header();
    },
    get: (target, headers = {}) => send(target, { headers: { accept: "text/html", ...headers } }),
    post: (target, body, headers = {}) =>
      send(target, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", origin: new URL(target).origin, ...headers },
      }),
  };
}
