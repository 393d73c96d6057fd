// @ts-check
/** What the core lends to the part that is fetched on demand. The build shortens names that end in an underscore. */
import { decide, inLine } from "./acts.js";
import { chosen, config, entry, follow, isGranted, keepable, previous, remember, renew, today } from "./choice.js";
import { button, equalChoices, heading, policyLink } from "./dom.js";
import { make } from "./make.js";
import { each, idsOf, refusal } from "./state.js";
import { addStyle, dress } from "./styles.js";
import { add, extend, has, listen, queue } from "./track.js";
import { get, post, uuid } from "./transport.js";
import { choose, fit, note, open, panel, place, root } from "./view.js";
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
  style_: addStyle,
  make_: make,
  each_: each,
  ids_: idsOf,
  refusal_: refusal,
  get_: get,
  post_: post,
  uuid_: uuid,
  open_: open,
  place_: place,
  note_: note,
  fit_: fit,
  choose_: choose,
  decide_: decide,
  inLine_: inLine,
  chosen_: chosen,
  previous_: previous,
  keepable_: keepable,
  remember_: remember,
  renew_: renew,
  follow_: follow,
  today_: today,
  granted_: isGranted,
  release_: release,
  extend_: extend,
  queue_: queue,
  add_: add,
  has_: has,
  listen_: listen,
});
