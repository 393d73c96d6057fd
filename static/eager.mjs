/**
 * Marks the functions that every visit runs, so that browsers compile them with the script and off the main thread.
 *
 * V8 compiles a function when it is first called, on the page's own thread, unless it stands in parentheses ("possibly
 * invoked function expressions"). Four times slowed, that was a third of the client's time. A hint for all functions of
 * the file would be shorter, but keeps code in memory that most visits never need.
 */
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { parse } from "acorn";
import { simple } from "acorn-walk";
import MagicString from "magic-string";

// In characters: what is shorter is compiled in no time, and mostly says what to do when something fails.
const WORTHWHILE = 16;

/**
 * Put the functions of some modules into parentheses; those that are called where they stand have them.
 * @param {string} code what terser made
 * @param {any} map its source map
 * @param {(module: string) => boolean} isEager
 */
export function markEager(code, map, isEager) {
  const text = new MagicString(code);
  const trace = new TraceMap(map);
  const tree = parse(code, { ecmaVersion: 2018, locations: true });
  const called = new Set();
  /** @param {any} node */
  const isWanted = ({ start, end, loc }) => end - start >= WORTHWHILE && isEager(originalPositionFor(trace, loc.start).source || "");
  simple(tree, { CallExpression: ({ callee }) => void called.add(callee) });
  simple(tree, {
    ArrowFunctionExpression(/** @type {any} */ node) {
      if (!called.has(node) && isWanted(node)) text.appendLeft(node.start, "(").prependRight(node.end, ")");
    },
    BlockStatement: ({ body }) => assign(body, text, isWanted),
  });
  return text.toString();
}

/**
 * Make variables of the functions declared at the head of a block: a declaration can stand in no parentheses.
 * @param {any[]} body
 * @param {MagicString} text
 * @param {(node: any) => boolean} isWanted
 */
function assign(body, text, isWanted) {
  const end = body.findIndex(({ type }) => type !== "FunctionDeclaration");
  const head = body.slice(0, end < 0 ? body.length : end);
  head.forEach((each, place) => {
    const [open, close] = isWanted(each) ? ["(", ")"] : ["", ""];
    // Browsers heed the parentheses around an async function, but not around an async arrow.
    const isArrow = !each.async && !each.generator;
    const [only] = each.params.length === 1 ? each.params : [];
    const names = only && only.type === "Identifier" ? only.name : text.original.slice(each.id.end, each.body.start);
    text.overwrite(each.start, each.id.end, `${place ? "," : "let "}${each.id.name}=${open}${isArrow ? names : "async function"}`);
    if (isArrow) text.overwrite(each.id.end, each.body.start, "=>");
    text.appendLeft(each.end, close + (place === head.length - 1 ? ";" : ""));
  });
}
