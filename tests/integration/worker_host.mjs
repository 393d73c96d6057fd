// Runs a Cloudflare Worker in Node.js: what Cloudflare tells it of a visitor, this tells it of the connection.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [, , file, port] = process.argv;
const { default: worker } = await import(pathToFileURL(file).href);

createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = new Headers();
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    // What belongs to the connection is not the Worker's.
    if (/^(connection|transfer-encoding|keep-alive|expect)$/i.test(incoming.rawHeaders[at])) continue;
    headers.append(incoming.rawHeaders[at], incoming.rawHeaders[at + 1]);
  }
  headers.set("CF-Connecting-IP", incoming.socket.remoteAddress.replace("::ffff:", ""));
  const { method } = incoming;
  const body = method === "GET" || method === "HEAD" ? undefined : Buffer.concat(chunks);
  const request = new Request(`https://${incoming.headers.host}${incoming.url}`, { method, headers, body });
  try {
    const answer = await worker.fetch(request, {});
    const sent = {};
    for (const [name, value] of answer.headers)
      // Here, not at Cloudflare, a fetched body has been decompressed.
      if (!/^(content-encoding|content-length|transfer-encoding|connection|set-cookie)$/.test(name)) sent[name] = value;
    outgoing.writeHead(answer.status, { ...sent, "set-cookie": answer.headers.getSetCookie() });
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  } catch (error) {
    outgoing.writeHead(502);
    outgoing.end();
  }
}).listen(Number(port), "127.0.0.1");
