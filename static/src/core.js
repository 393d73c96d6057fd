// @ts-check
/** What the core lends to the part that is fetched on demand. The build shortens names that end in an underscore. */
import { decide, inLine } from "./acts.js";
import { chosen, config, entry, follow, isGranted, keepable, previous, remember, renew } from "./choice.js";
import { button, equalChoices, heading, policyLink } from "./dom.js";
import { write } from "./store.js";
import { dress } from "./styles.js";
import { add, extend, has, listen, queue } from "./track.js";
import { choose, note, open, panel, place, root } from "./view.js";
import { release } from "./waiting.js";

/** Made when it is wanted: the modules it is taken from know one another. */
export const core = () => ({
  config_: () => config,
  entry_: () => entry,
  panel_: () => panel,
  root_: root,
  button_: button,
  choices_: equalChoices,
  heading_: heading,
  link_: policyLink,
  dress_: dress,
  open_: open,
  place_: place,
  note_: note,
  choose_: choose,
  decide_: decide,
  inLine_: inLine,
  chosen_: chosen,
  previous_: previous,
  keepable_: keepable,
  remember_: remember,
  renew_: renew,
  follow_: follow,
  granted_: isGranted,
  release_: release,
  write_: write,
  extend_: extend,
  queue_: queue,
  add_: add,
  has_: has,
  listen_: listen,
});
