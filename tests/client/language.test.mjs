import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLanguage } from "../../static/src/language.js";

const site = { fr: 1, en: 1, "pt-BR": 1, "zh-Hans": 1, "zh-Hant": 1 };
const aliases = { "pt-br": "pt-BR", pt: "pt-BR", "zh-hans": "zh-Hans", "zh-hant": "zh-Hant", zh: "zh-Hans", "zh-tw": "zh-Hant" };
const choose = (...wanted) => chooseLanguage(wanted, site, aliases, "fr");

test("the language is the first wanted one that the site has", () => {
  assert.equal(choose(null, "en", "fr"), "en");
  assert.equal(choose(undefined, "", "de", "en-GB"), "en");
  assert.equal(choose("de", "it"), "fr");
});

test("a tag is looked for whole, then by less and less of it, in any case", () => {
  assert.equal(choose("PT-br"), "pt-BR");
  assert.equal(choose("pt"), "pt-BR");
  assert.equal(choose("en_GB"), "en");
  assert.equal(choose("zh-Hant-HK", "en"), "zh-Hant");
  assert.equal(choose("zh-TW"), "zh-Hant");
  assert.equal(choose("zh-CN"), "zh-Hans");
});

test("a language is never matched by its first letters alone", () => {
  assert.equal(choose("enm", "-", "e"), "fr");
});
