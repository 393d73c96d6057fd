import type { Bundle, PageApi } from "./types.js";

declare global {
  /** Put around the script by the per-site bundle; the pinned script has none. */
  const CONSENT_CONFIG: Bundle | undefined;
  interface Window {
    consent?: PageApi;
    trustedTypes?: { createPolicy(name: string, rules: object): { createScript(text: string): string; createScriptURL(url: string): string } };
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
  interface Document {
    prerendering?: boolean;
  }
}
