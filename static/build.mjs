// Builds the client from src/, byte for byte the same on every machine, and holds it to its size.
import { createHash } from "node:crypto";
import { build, transform } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { minify } from "terser";
import { markEager } from "./eager.mjs";

// In bytes of brotli. What a page loads, without its config: banner, decision, blocking and tracker. What it may load: all.
// What pinned the script loads, which has in it whatever any site may ask for, and the hashes of its parts: pinned.
const CORE_BUDGET = 6000;
const ALL_BUDGET = 10000;
const PINNED_BUDGET = 10200;
// In the core short names are dealt out in the order that brotli packs best: twenty bytes less than by default.
const LETTERS = "cdpXrIsYStNgzRAF_KOqVainQPmJovwxM$kBjbuLUlWHTZyEGCehfD";
const names = {
  /** @param {number} number */
  get(number) {
    let name = LETTERS[number % LETTERS.length];
    for (let rest = Math.floor(number / LETTERS.length); rest > 0; rest = Math.floor(rest / LETTERS.length))
      name += LETTERS[--rest % LETTERS.length];
    return name;
  },
};
// What no visit runs before the visitor has chosen: to compile it with the rest would only take memory.
const LATER = /\/(core|track|queue|transport|trust|load|evidence|get|retry|modal|more\/.*)\.js$/;
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {string} path */
async function style(path) {
  const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "chrome88" });
  return code.trim();
}

// Style sheets travel inside the scripts as text, so that the page needs one request and no inline style.
const styleAsText = {
  name: "style-as-text",
  setup(/** @type {import("esbuild").PluginBuild} */ tool) {
    tool.onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: await style(path), loader: "text" }));
  },
};

/** @param {string} entry @param {{[name: string]: string}} [define] */
async function make(entry, define = {}) {
  const { outputFiles } = await build({
    absWorkingDir: here("."),
    entryPoints: [`src/${entry}.js`],
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "iife",
    target: "es2018",
    legalComments: "none",
    plugins: [styleAsText],
    logLevel: "warning",
    write: false,
    outdir: "unwritten",
    sourcemap: "external",
    define: { ...define, CONSENT_CONFIG: "$config", CONSENT_HOOKS: "$hooks" },
  });
  const [{ text: content }, { text }] = outputFiles;
  const { code = "", map } = await minify(text, {
    sourceMap: { content, asObject: true },
    module: true,
    ecma: 2018,
    mangle: entry === "index" ? { nth_identifier: names } : {},
    compress: { passes: 3, hoist_funs: true, unsafe_arrows: true, unsafe_methods: true, pure_getters: true, keep_fargs: false },
  });
  return `${markEager(code, map, (module) => /\.js$/.test(module) && !LATER.test(module))}\n`;
}

/** @param {string} text */
const integrityOf = (text) => `sha384-${createHash("sha384").update(text).digest("base64")}`;
const more = await make("more/index");
const again = await make("again/index");
const coverage = await make("coverage/index");
// For pages that take no bundle of their own site: what is fetched only where the site's config asks for it.
const extra = `document.currentScript.consent($core=>{let $hooks=[];\n${again}${coverage}return $hooks});\n`;
const bundled = { IS_BUNDLE: "true", MORE_INTEGRITY: '""', EXTRA_INTEGRITY: '""' };
const core = await make("index", { ...bundled, HAS_DIALOG: "false" });
const dialog = await make("index", { ...bundled, HAS_DIALOG: "true" });
const pinned = await make("index", { IS_BUNDLE: "false", HAS_DIALOG: "true", MORE_INTEGRITY: JSON.stringify(integrityOf(more)), EXTRA_INTEGRITY: JSON.stringify(integrityOf(extra)) });
const signals = await make("signals/index");
// For pages that take no bundle of their own site: everything that a site may ask for.
const whole = `{let $hooks=[];\n${signals}${pinned}}\n`;

// What the service adds to the banner's sheet for a site: each travels only to where it is used.
/** @type {{[name: string]: string}} */
const layouts = {};
for (const name of ["bar", "corner", "dialog", "logo"]) layouts[name] = await style(here(`src/layouts/${name}.css`));

const files = { "consent.layouts.json": JSON.stringify(layouts), "consent.js": whole, "consent.core.js": core, "consent.dialog.js": dialog, "consent.signals.js": signals, "consent.more.js": more, "consent.again.js": again, "consent.coverage.js": coverage, "consent.extra.js": extra };
for (const [name, text] of Object.entries(files)) {
  await writeFile(here(name), text);
  console.log(`${name} ${text.length} B, gzip ${gzipSync(text, { level: 9 }).length} B, brotli ${brotliCompressSync(text).length} B`);
}
const sizes = { core: [brotliCompressSync(core).length, CORE_BUDGET], all: [brotliCompressSync(core + more).length, ALL_BUDGET], pinned: [brotliCompressSync(whole + more).length, PINNED_BUDGET] };
for (const [what, [size, budget]] of Object.entries(sizes))
  if (size > budget) {
    console.error(`${what} is ${size - budget} B over its budget of ${budget} B (brotli)`);
    process.exitCode = 1;
  }
