// @ts-check
/** What the visitor's choice means now, for the parts that join the core. */
import { getConfig, getEntry } from "../more/core.js";
import { judge } from "../state.js";

export function standing() {
  const config = getConfig();
  const signal = config.signals.gpc !== "ignore" && navigator.globalPrivacyControl === true;
  return judge(getEntry(), config, signal, Date.now());
}
