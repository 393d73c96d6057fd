// @ts-check
/** What the core lends, under its own names; the order is that of ../core.js. The first three are asked: they change. */

/** @typedef {ReturnType<typeof import("../core.js").core>} Core */

/** @type {Core[0]} */ export let getConfig;
/** @type {Core[1]} */ export let getEntry;
/** @type {Core[2]} */ export let getPanel;
/** @type {Core[3]} */ export let root;
/** @type {Core[4]} */ export let base;
/** @type {Core[5]} */ export let button;
/** @type {Core[6]} */ export let equalChoices;
/** @type {Core[7]} */ export let heading;
/** @type {Core[8]} */ export let policyLink;
/** @type {Core[9]} */ export let dress;
/** @type {Core[10]} */ export let addStyle;
/** @type {Core[11]} */ export let make;
/** @type {Core[12]} */ export let eachPurpose;
/** @type {Core[13]} */ export let idsOf;
/** @type {Core[14]} */ export let post;
/** @type {Core[15]} */ export let mayRetry;
/** @type {Core[16]} */ export let uuid;
/** @type {Core[17]} */ export let open;
/** @type {Core[18]} */ export let place;
/** @type {Core[19]} */ export let note;
/** @type {Core[20]} */ export let choose;
/** @type {Core[21]} */ export let decide;
/** @type {Core[22]} */ export let inLine;
/** @type {Core[23]} */ export let chosen;
/** @type {Core[24]} */ export let previous;
/** @type {Core[25]} */ export let keepable;
/** @type {Core[26]} */ export let remember;
/** @type {Core[27]} */ export let refuse;
/** @type {Core[28]} */ export let renew;
/** @type {Core[29]} */ export let follow;
/** @type {Core[30]} */ export let isGranted;
/** @type {Core[31]} */ export let release;
/** @type {Core[32]} */ export let extend;
/** @type {Core[33]} */ export let queue;
/** @type {Core[34]} */ export let add;
/** @type {Core[35]} */ export let has;
/** @type {Core[36]} */ export let listen;

/** Take what the core lends. @param {Core} core */
export function borrow(core) {
  [
    getConfig,
    getEntry,
    getPanel,
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
  ] = core;
}
