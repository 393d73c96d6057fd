import type { Bundle, Hook, PageApi } from "./types.js";

declare global {
  /** Whether this is the core of the per-site bundle, which has its config with it. Put in by the build. */
  const IS_BUNDLE: boolean;
  /** Whether the first layer may be a dialog. Put in by the build. */
  const HAS_DIALOG: boolean;
  /** Put around the core by the per-site bundle, under a shorter name. */
  const CONSENT_CONFIG: Bundle;
  /** Put around the core, empty where a site has nothing joined to it. */
  const CONSENT_HOOKS: Hook[];
  /** The integrity of the on-demand part, put in by the build. */
  const MORE_INTEGRITY: string;
  /** The integrity of what few sites ask for, put in by the build. */
  const EXTRA_INTEGRITY: string;
  interface Window {
    consent?: PageApi;
    dataLayer?: any[];
    uetq?: any[];
    clarity?: any;
    trustedTypes?: { createPolicy(name: string, rules: object): { createScript(text: string): string; createScriptURL(url: string): string } };
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
  interface Document {
    prerendering?: boolean;
  }
}
