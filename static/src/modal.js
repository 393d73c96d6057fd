// @ts-check
/** A panel that stands before all else. Only sites with that layout, and the preference centre, carry it. */

/**
 * Make a dialog on the page modal.
 * @param {HTMLElement} panel
 * @param {() => void} leave what Escape does
 * @param {HTMLElement} status what lies behind a modal dialog is not read out, so the status moves into it
 */
export function modal(panel, leave, status) {
  const dialog = /** @type {HTMLDialogElement} */ (panel);
  dialog.oncancel = dialog.onclose = (event) => {
    event.preventDefault();
    if (dialog.isConnected) leave();
  };
  if (dialog.showModal) dialog.showModal();
  else dialog.setAttribute("open", "");
  dialog.append(status);
}
