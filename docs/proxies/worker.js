// Passes /_consent/ of your site on to the consent service: a Cloudflare Worker on the routes
//   news.example/_consent/*   and   news.example/.well-known/gpc.json
// Change SERVICE to where the service answers. Steps and checks: docs/first-party.md
const SERVICE = "https://consent.example";
const PREFIX = "/_consent";
const GPC = "/.well-known/gpc.json";
// Scripts, the API of pages and the hosted pages. Console, reports and metrics are not for visitors.
const FOR_VISITORS = /^\/(?:(?:c|v1|privacy|banner|my|static)\/|consent(?:\.v1)?(?:\.more)?\.js$)/;
const LARGEST_BODY = 32 * 1024;

const PLACES_OF_OTHERS = [
  "CloudFront-Viewer-Country",
  "CloudFront-Viewer-Country-Region",
  "CloudFront-Viewer-City",
  "X-Vercel-IP-Country",
  "X-Vercel-IP-Country-Region",
  "X-Vercel-IP-City",
  "X-Country-Code",
  "X-Region-Code",
  "X-City",
];

export default {
  async fetch(request, env) {
    const { pathname, search, host, protocol } = new URL(request.url);
    const isGpc = pathname === GPC;
    const path = pathname.startsWith(`${PREFIX}/`) ? pathname.slice(PREFIX.length) : "";
    if (!isGpc && !FOR_VISITORS.test(path)) return new Response("Not found", { status: 404 });

    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    // Browsers always say how long a body is.
    const length = request.headers.get("Content-Length");
    if (hasBody && (length === null || Number(length) > LARGEST_BODY)) return new Response("Too large", { status: 413 });
    const body = hasBody ? await request.arrayBuffer() : undefined;

    // The service believes these; so each is written here and what the visitor sent under its name is gone.
    const headers = new Headers(request.headers);
    headers.set("X-Forwarded-Host", host);
    headers.set("X-Forwarded-For", request.headers.get("CF-Connecting-IP") || "");
    headers.set("X-Forwarded-Proto", protocol.slice(0, -1));
    headers.set("X-Forwarded-Prefix", PREFIX);
    // Cloudflare writes its own of these, where it is told to; the rest are what the visitor sent.
    for (const name of PLACES_OF_OTHERS) headers.delete(name);
    if (isGpc) headers.delete("X-Forwarded-Prefix");
    // The key of a door in front of the service, such as Cloudflare Access: who passes it is believed.
    if (env.ACCESS_ID) {
      headers.set("CF-Access-Client-Id", env.ACCESS_ID);
      headers.set("CF-Access-Client-Secret", env.ACCESS_SECRET);
    }
    return fetch(SERVICE + (isGpc ? GPC : path) + search, { method: request.method, headers, body, redirect: "manual" });
  },
};
