// Builds consent.js from src/, byte for byte the same on every machine, and holds it to its size.
import { build, transform } from "esbuild";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

// Banner, preference centre, blocking and tracker together, as a browser receives them.
const BROTLI_BUDGET = 9000;
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

// The style sheet travels inside the script as text, so that the page needs one request and no inline style.
const styleAsText = {
  name: "style-as-text",
  setup(/** @type {import("esbuild").PluginBuild} */ tool) {
    tool.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "chrome80" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

await build({
  absWorkingDir: here("."),
  entryPoints: ["src/index.js"],
  outfile: "consent.js",
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  target: "es2018",
  legalComments: "none",
  plugins: [styleAsText],
  logLevel: "warning",
});

const script = await readFile(here("consent.js"));
const brotli = brotliCompressSync(script).length;
console.log(`consent.js ${script.length} B, gzip ${gzipSync(script, { level: 9 }).length} B, brotli ${brotli} B`);
if (brotli > BROTLI_BUDGET) {
  console.error(`consent.js is ${brotli - BROTLI_BUDGET} B over its budget of ${BROTLI_BUDGET} B (brotli)`);
  process.exit(1);
}
