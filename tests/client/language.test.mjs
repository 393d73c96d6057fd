import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLanguage } from "../../static/src/language.js";

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
