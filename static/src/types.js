// @ts-check
/** The shapes that travel between page, script and server. Types only: nothing of this file reaches the bundle. */

/**
 * @typedef {{name: string, kind: string, life?: string, description?: string}} Cookie
 * @typedef {{id: string, title: string, description: string, measures?: boolean, data?: string[], collected?: string[],
 *   recipients?: string[], kept?: string, cookies?: Cookie[], material_version?: number}} Purpose
 * @typedef {{[name: string]: string}} Texts
 * @typedef {{purpose: string, host: string}} Rule
 * @typedef {{version: number, purposes: string[], reason: string, body: string | null,
 *   changes: {id: string, title: string, lines: string[]}[]}} Group
 * @typedef {{reason: string, purposes: string[], granted: Group[], refused: Group[]}} Again
 */

/**
 * What the server says about one site in one language. The per-site script carries only what the first layer needs.
 * @typedef {object} Config
 * @property {string} site
 * @property {string} language
 * @property {"ltr" | "rtl"} [dir] left to right without it
 * @property {string[]} languages
 * @property {number} policy_version
 * @property {string} banner_hash
 * @property {string} [script] what the bundle is known by at the service
 * @property {Purpose[]} purposes
 * @property {Purpose[]} [exempt]
 * @property {Texts} texts
 * @property {number} [valid_days] 180 without it
 * @property {number} [refusal_days] 180 without it
 * @property {"bar" | "corner" | "dialog"} [layout]
 * @property {{gpc?: "refuse" | "ask" | "ignore"}} signals refuse without it
 * @property {Again | null} [asked_again] not there where no change asks anybody again
 * @property {string[]} [asked] what the panel on screen asks, put in by the part that asks again
 * @property {boolean} [coverage] whether it is counted that the banner is shown
 * @property {number} [material_version] grants given to an older version are asked again
 * @property {number} [refusal_material_version] refusals of an older version are asked again
 * @property {string} style the rules that follow from the site's theme and colours
 * @property {"stay" | "reload"} [after_withdrawal]
 * @property {{[purpose: string]: string[]}} [consent_mode] the types of Google's consent mode that each purpose grants
 * @property {string[]} [consent_mode_regions] where its default is denied, everywhere without any
 * @property {{[purpose: string]: string[]}} [uet]
 * @property {{[purpose: string]: string[]}} [clarity]
 * @property {Rule[]} [blocking]
 */

/**
 * What the per-site script has inside: what all languages share, the rest by language, the default language, aliases.
 * @typedef {[Partial<Config>, {[language: string]: Partial<Config>}, string, {[tag: string]: string}?]} Bundle
 */

/** What the core lends to the part that is fetched on demand. @typedef {ReturnType<typeof import("./core.js").core>} Core */

/**
 * What the on-demand part adds to the tracker.
 * @typedef {[begin: () => void, turn: () => void, keep: (events: object[]) => void]} Watch
 * begin: the measuring begins, on the page on screen; turn: the page is left, or hidden; keep: keeps events that a
 * closing page cannot deliver
 */

/**
 * The part that is fetched on demand, in this order: what answers the buttons that the core does not know; what says a
 * text that the core does not carry; what goes on after a choice, and delivers what the service is owed; what takes back
 * some purposes; what takes back all.
 * @typedef {[
 *   act: (action: string, event: Event) => Promise<void>,
 *   explain: (text: string) => void,
 *   goOn: (isOwed: boolean) => void,
 *   turnOff: (purposes: Purposes, act: Act) => Promise<"saved" | "failed" | "" | undefined>,
 *   withdraw: () => Promise<any>,
 * ]} More
 * @typedef {(core: Core) => More} Part
 */

/**
 * A part that joins the core only where a site asks for it. It is told of every change of what is granted, and first of
 * what stands when the page begins; the hook may hold elements back.
 * @typedef {(config: Config, isGranted: (purpose: string) => boolean, isDecided: () => boolean, core: () => Core) => (isFirst: boolean) => void} Hook
 */

/** @typedef {{[purpose: string]: boolean}} Purposes */

/**
 * What the browser keeps for one site. A refusal has `p`, `v`, `d` and the id-free `t` alone, in this order.
 * @typedef {object} Entry
 * @property {Purposes} p the choice
 * @property {number} v policy version it was made on
 * @property {string} d day it was made, UTC, by this browser's clock
 * @property {string} [t] token, unless the server's own cookie carries it
 * @property {{[name: string]: any}} [b] what the service answered to a grant, without the token
 * @property {1} [g] granted while the browser sent the privacy signal
 * @property {{at: number, events: any[]}} [q] events that a closed page could not deliver
 * @property {1 | string[]} [w] not yet acknowledged: 1 a refusal, a list: withdrawal of these purposes
 */

/**
 * How a choice was made.
 * @typedef {object} Act
 * @property {"banner" | "preferences" | "api"} mechanism
 * @property {1 | 2 | 3} layer the banner, the preference centre, or a stand-in for a frame
 * @property {string} [rendered] the words on screen
 * @property {{refuse_visible: boolean, area_ratio: number, trusted: boolean}} [evidence]
 */

/**
 * @typedef {object} Answer
 * @property {number} status 0 when no answer came
 * @property {any} body what came, {} without an answer
 * @property {number} wait seconds from Retry-After, 0 without one
 */

/** @typedef {{props?: object, revenue?: {amount: string, currency: string}}} Extra */

/** @typedef {{purposes: Purposes, decided: boolean}} Change */

/** Edits an event before it is kept, or drops it. @typedef {(event: any) => any} Before */

/**
 * @typedef {object} PageApi
 * @property {(purpose: string) => boolean} granted
 * @property {() => boolean} decided
 * @property {(name: string, fn: (subject: any) => any) => () => void} on `change`, or `before` an event is kept
 * @property {() => void} show
 * @property {() => Promise<any>} withdraw
 * @property {(name: string, extra?: Extra) => void} track
 * @property {(out: boolean) => void} optOut leave this browser out of the measuring, from the next page on
 * @property {() => {[name: string]: any} | null} receipt
 */

export {};
