// @ts-check
/** What a choice made on an older version is asked again, purpose by purpose. Pure. */

/**
 * @typedef {import("../types.js").Config} Config
 * @typedef {import("../types.js").Entry} Entry
 * @typedef {import("../types.js").Group} Group
 */

/** Find what of its kind is asked of a choice. @param {Group[]} groups @param {number | undefined} since @param {number} v */
const groupOf = (groups, since, v) => (v < (since || 1) ? groups.find(({ version }) => version <= v) || null : undefined);

/**
 * Tell whether a choice that grants some purposes stands as it is: what it granted is not outgrown, and of what it
 * refused nothing is asked early, for more data of a purpose is no news to whoever refused it.
 * @param {Entry} entry
 * @param {Config} config
 */
export function allStands({ p, v }, { asked_again: again, material_version: granted, refusal_material_version: refused }) {
  if (!again) return false;
  // Null for a choice so old that no group tells of it: everything is asked.
  const groups = [groupOf(again.granted, granted, v), groupOf(again.refused, refused, v)];
  return groups.every((group, isOfRefusals) => group !== null && !(group && group.purposes.some((id) => isOfRefusals ? !p[id] : p[id])));
}
