// @ts-check
/** The shapes that travel between page, script and server. Types only: nothing of this file reaches the bundle. */

/**
 * @typedef {{name: string, kind: string, days?: number, description?: string}} Cookie
 * @typedef {{id: string, title: string, description: string, measures?: boolean, data?: string[], recipients?: string[],
 *   retention_days?: number, cookies?: Cookie[]}} Purpose
 * @typedef {{[name: string]: string}} Texts
 */

/**
 * What the server says about one site in one language.
 * @typedef {object} Config
 * @property {string} site
 * @property {string} language
 * @property {"ltr" | "rtl"} dir
 * @property {string[]} languages
 * @property {number} policy_version
 * @property {string} banner_hash
 * @property {Purpose[]} purposes
 * @property {Purpose[]} [exempt]
 * @property {{name: string}} controller
 * @property {Texts} texts
 * @property {string} policy_url
 * @property {number} valid_days
 * @property {number} refusal_days
 * @property {"bar" | "corner" | "dialog"} layout
 * @property {{gpc?: "refuse" | "ask" | "ignore"}} signals
 * @property {{reason: string, purposes?: string[]} | null} [asked_again]
 * @property {number} [material_version] grants given to an older version are asked again
 * @property {number} [refusal_material_version] refusals of an older version are asked again
 * @property {"auto" | "light" | "dark"} [theme]
 * @property {{accent?: string}} [colors]
 * @property {string} [logo_url]
 * @property {"stay" | "reload"} [after_withdrawal]
 */

/** @typedef {{site: string, default_language: string, banners: {[language: string]: Config}}} Bundle */

/** @typedef {{[purpose: string]: boolean}} Purposes */

/**
 * What the browser keeps for one site. A refusal has `p`, `v`, `d` and the id-free `t` alone, in this order.
 * @typedef {object} Entry
 * @property {Purposes} p the choice
 * @property {number} v policy version it was made on
 * @property {string} d day it was made, UTC, by this browser's clock
 * @property {string} [t] token, unless the server's own cookie carries it
 * @property {string} [r] receipt id
 * @property {string} [a] decided_at
 * @property {string} [e] expires_at
 * @property {1} [g] granted while the browser sent the privacy signal
 * @property {1 | 2 | string[]} [w] not yet acknowledged: 1 a refusal, 2 a withdrawal, a list: withdrawal of these purposes
 */

/**
 * How a choice was made.
 * @typedef {object} Act
 * @property {"banner" | "preferences" | "api"} mechanism
 * @property {1 | 2} layer
 * @property {string} [rendered] the words on screen
 * @property {{refuse_visible: boolean, area_ratio: number, trusted: boolean}} [evidence]
 */

/**
 * @typedef {object} Answer
 * @property {number} status 0 when no answer came
 * @property {any} body
 * @property {string} code the refusal code, "" without one
 * @property {number} wait seconds from Retry-After, 0 without one
 */

/** @typedef {{props?: object, revenue?: {amount: string, currency: string}}} Extra */

/** @typedef {{purposes: Purposes, decided: boolean}} Change */

/**
 * @typedef {object} PageApi
 * @property {(purpose: string) => boolean} granted
 * @property {() => boolean} decided
 * @property {(name: "change", fn: (change: Change) => void) => () => void} on
 * @property {() => void} show
 * @property {() => Promise<any>} withdraw
 * @property {(name: string, extra?: Extra) => void} track
 * @property {() => ({receipt_id: string, decided_at: string, expires_at: string, policy_version: number, purposes: Purposes} | null)} receipt
 */

export {};
