import assert from "node:assert/strict";
import { test } from "node:test";
import { buttonColors } from "../../static/src/colors.js";
import { chooseLanguage } from "../../static/src/language.js";
import { aroundPolicy } from "../../static/src/words.js";

const site = ["fr", "en", "pt-BR", "zh-Hans"];

test("the language is the first wanted one that the site has", () => {
  assert.equal(chooseLanguage([null, "en", "fr"], site, "fr"), "en");
  assert.equal(chooseLanguage([undefined, "", "de", "en-GB"], site, "fr"), "en");
  assert.equal(chooseLanguage(["de", "it"], site, "fr"), "fr");
});

test("a full tag is matched before its primary subtag, in either direction and any case", () => {
  assert.equal(chooseLanguage(["PT-br"], site, "fr"), "pt-BR");
  assert.equal(chooseLanguage(["pt"], site, "fr"), "pt-BR");
  assert.equal(chooseLanguage(["fr_CA"], site, "en"), "fr");
  assert.equal(chooseLanguage(["zh-Hans", "en"], ["en", "zh-Hant", "zh-Hans"], "en"), "zh-Hans");
});

test("a language is never matched by its first letters alone", () => {
  assert.equal(chooseLanguage(["fry"], site, "en"), "en");
});

test("the sentence is split at the policy link, the names filled in", () => {
  const values = { controller: "Le Journal", open: "Gérer" };
  assert.deepEqual(aroundPolicy("{controller} mesure. Voir {policy}, ou « {open} ».", values), [
    "Le Journal mesure. Voir ",
    ", ou « Gérer ».",
  ]);
});

test("a sentence without the link ends in it", () => {
  assert.deepEqual(aroundPolicy("Un cookie. ", {}), ["Un cookie. ", ""]);
});

test("a name that looks like a placeholder or a replacement pattern stays a name", () => {
  assert.deepEqual(aroundPolicy("{controller} {policy}", { controller: "$& {open}", open: "x" }), ["$& {open} ", ""]);
});

/** WCAG 2.2 contrast of two css colours as this module writes them. */
function contrast(one, other) {
  const light = [one, other].map((color) => {
    const rgb = color.startsWith("#")
      ? [1, 3, 5].map((at) => parseInt((color.length < 6 ? color.replace(/[^#]/g, "$&$&") : color).slice(at, at + 2), 16))
      : color.match(/\d+/g).map(Number);
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
  return (Math.max(...light) + 0.05) / (Math.min(...light) + 0.05);
}

const pair = (rule) => /--button:(.+?);--label:(.+?);/.exec(rule).slice(1);

for (const accent of [undefined, "not a colour", "#0b57d0", "#000", "#fff", "#c2185b", "#ffd600", "#777777"]) {
  test(`button and label of ${accent} read well on both surfaces`, () => {
    const { light, dark } = buttonColors(accent);
    for (const rule of [light, dark]) assert.ok(contrast(...pair(rule)) >= 4.5, rule);
    assert.ok(contrast(pair(dark)[0], "#1b1f24") >= 3, dark);
  });
}

test("the built-in accent reads at seven to one", () => {
  const { light, dark } = buttonColors(undefined);
  for (const rule of [light, dark]) assert.ok(contrast(...pair(rule)) >= 7, rule);
});
