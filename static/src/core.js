// @ts-check
/** What the core lends to the part that is fetched on demand, in the order of more/core.js. */
import { decide, inLine } from "./acts.js";
import {
  chosen, config, eachPurpose, entry, follow, isGranted, keepable, previous, refuse, remember, renew,
} from "./choice.js";
import { button, equalChoices, heading, policyLink } from "./dom.js";
import { make } from "./make.js";
import { mayRetry } from "./retry.js";
import { base } from "./script.js";
import { idsOf } from "./state.js";
import { addStyle, dress } from "./styles.js";
import { add, extend, has, listen, queue } from "./track.js";
import { post, uuid } from "./transport.js";
import { choose, note, open, panel, place, root } from "./view.js";
import { release } from "./waiting.js";

/** Made when it is wanted: the modules it is taken from know one another. */
export const core = () =>
  /** @type {const} */ ([
    () => config,
    () => entry,
    () => panel,
    root,
    base,
    button,
    equalChoices,
    heading,
    policyLink,
    dress,
    addStyle,
    make,
    eachPurpose,
    idsOf,
    post,
    mayRetry,
    uuid,
    open,
    place,
    note,
    choose,
    decide,
    inLine,
    chosen,
    previous,
    keepable,
    remember,
    refuse,
    renew,
    follow,
    isGranted,
    release,
    extend,
    queue,
    add,
    has,
    listen,
  ]);
