// Prints how many bytes of brotli the tracker takes: what the client weighs, less what it weighs with an empty tracker.
// Both are built by static/build.mjs itself, in a copy of static/, so that there is one way to build the client.
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

const STATIC = fileURLToPath(new URL("../../static/", import.meta.url));
const NEEDED = ["build.mjs", "eager.mjs", "package.json", "tsconfig.json", "src"];
// The one module through which each part reaches its tracker; what only the tracker needs falls away with it.
const TRACKERS = { core: "src/track.js", more: "src/more/watch.js" };

/** Give a module that exports the same names and does nothing. @param {string} source */
function emptied(source) {
  const names = [...source.matchAll(/^export (?:async )?(function|const|let|class) (\w+)/gm)];
  if (!names.length) throw new Error("the tracker's module exports nothing: has it moved?");
  return names.map(([, kind, name]) => (kind === "function" ? `export function ${name}() {}` : `export let ${name};`)).join("\n");
}

/** Build in a copy of static/ and give each file's bytes of brotli. @param {string[]} without */
async function weigh(without) {
  const root = await mkdtemp(join(tmpdir(), "bench-tracker-"));
  try {
    const copy = join(root, "static");
    await mkdir(copy);
    for (const name of NEEDED) await cp(join(STATIC, name), join(copy, name), { recursive: true });
    await symlink(join(STATIC, "node_modules"), join(copy, "node_modules"));
    for (const name of without) await writeFile(join(copy, name), emptied(await readFile(join(copy, name), "utf8")));
    // A client over its budget is still one to weigh: what counts is that the file is there.
    const { stderr } = spawnSync(process.execPath, ["build.mjs"], { cwd: copy, encoding: "utf8" });
    const sizes = {};
    for (const part of Object.keys(TRACKERS)) {
      const file = await readFile(join(copy, `consent.${part}.js`)).catch(() => {
        throw new Error(`the build wrote no consent.${part}.js: ${stderr}`);
      });
      sizes[part] = brotliCompressSync(file).length;
    }
    return sizes;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const whole = await weigh([]);
const bare = await weigh(Object.values(TRACKERS));
console.log(JSON.stringify({ core: whole.core - bare.core, more: whole.more - bare.more }));
