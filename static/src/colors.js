// @ts-check
/** The one pair of button colours, derived from the site's accent for light and dark surfaces. Pure. */

const ACCENT = "#0842a0";

/** @param {string} hex @returns {number[]} */
function channels(hex) {
  const short = hex.length < 6 ? hex.replace(/[^#]/g, "$&$&") : hex;
  return [1, 3, 5].map((at) => parseInt(short.slice(at, at + 2), 16));
}

/** Relative luminance, WCAG 2.2. @param {number[]} rgb */
function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {number[]} rgb */
const css = (rgb) => `rgb(${rgb.join(",")})`;

/** Black or white, whichever reads better. @param {number[]} rgb */
const inkOn = (rgb) => (luminance(rgb) > 0.179 ? "#000" : "#fff");

/**
 * Return the custom properties of the buttons; anything but a hex colour falls back to the built-in accent.
 * @param {string | undefined} accent
 * @returns {{light: string, dark: string}}
 */
export function buttonColors(accent) {
  const rgb = channels(accent && /^#([\da-f]{3}|[\da-f]{6})$/i.test(accent) ? accent : ACCENT);
  // On a dark surface the accent is lifted until its edge stands out (WCAG 1.4.11, 3:1, with room to spare).
  let lifted = rgb;
  while (luminance(lifted) < 0.38) lifted = lifted.map((value) => Math.ceil(value + (255 - value) * 0.15));
  const rule = (/** @type {number[]} */ color) => `--button:${css(color)};--label:${inkOn(color)};`;
  return { light: rule(rgb), dark: rule(lifted) };
}
