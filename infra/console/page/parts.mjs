import htm from 'htm';
import { h } from 'preact';
import { useState } from 'preact/hooks';

export const html = htm.bind(h);

/** The command that prints what a card shows, to copy. */
export function Command({ text }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true));
  return html`<div class="command">
    <code>${text}</code>
    <button class="small" onClick=${copy} aria-label=${`Copy: ${text}`}>${copied ? 'copied' : 'copy'}</button>
  </div>`;
}

export function Card({ title, wide, children }) {
  return html`<section class=${wide ? 'card wide' : 'card'}><h2>${title}</h2>${children}</section>`;
}

/** A time in ISO 8601, which is hard to read over two lines. */
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** A value of a record: a text as it is, and NULL so that it is told from a text. */
export function Value({ of }) {
  if (of === null || of === undefined) return html`<span class="null">NULL</span>`;
  if (typeof of === 'object') return of;
  return TIME.test(of) ? html`<span class="unbroken">${of}</span>` : String(of);
}

/** A problem in the words of whoever met it. */
export function Problem({ text }) {
  return text ? html`<p class="bad" role="alert">${text}</p>` : null;
}

/** Rows below their names: of values, or of what is drawn in place of one. @param none what is said where there are none. */
export function Table({ names, rows, none }) {
  if (none && rows.length === 0) return html`<p class="faint">${none}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Table of ${names.join(', ')}`}>
    <table>
      <thead><tr>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${row.map((value) => html`<td><${Value} of=${value} /></td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}

export const timeOf = (ms) => new Date(ms).toLocaleTimeString();
