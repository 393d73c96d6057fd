/** One site's banner config as the server gives it, with what a test changes. */
export const config = (changes = {}) => ({
  site: "abc123def456",
  language: "fr",
  dir: "ltr",
  languages: ["fr", "en"],
  policy_version: 3,
  banner_hash: "0".repeat(64),
  purposes: [{ id: "analytics", title: "Mesure", description: "Compter.", measures: true, data: ["page"] }],
  exempt: [],
  controller: { name: "Le Journal" },
  texts: {},
  policy_url: "/privacy/abc123def456?lang=fr",
  valid_days: 180,
  refusal_days: 180,
  layout: "bar",
  signals: { gpc: "refuse" },
  asked_again: null,
  material_version: 1,
  refusal_material_version: 1,
  ...changes,
});

export const DAY = 24 * 60 * 60 * 1000;
export const NOON = Date.parse("2026-11-24T12:00:00Z");
