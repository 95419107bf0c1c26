import { useState } from 'preact/hooks';
import { ask } from './ask.mjs';
import { html, Problem } from './parts.mjs';

/**
 * Buttons that change the stack, each asked for twice. `actions` are `{ name, text, does, request }`.
 *
 * `onDone` is called when one is through.
 */
export function Actions({ stack, actions, withReason, onDone }) {
  const [chosen, setChosen] = useState(null);
  const [reason, setReason] = useState('');
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  if (!stack.allowsActions) {
    return html`<p class="faint">This console only reads. npm run console -- --allow-actions lets it act.</p>`;
  }
  const act = async (event) => {
    event.preventDefault();
    setBusy(true);
    setSaid('');
    try {
      const answer = await ask('act', { action: chosen.name, reason, ...chosen.request });
      setSaid(answer.said);
      setProblem('');
      onDone?.();
    } catch (error) {
      setProblem(error.message);
    }
    setBusy(false);
    setChosen(null);
  };
  return html`
    ${
      chosen
        ? html`<form onSubmit=${act}>
          <strong>${chosen.does}</strong>
          ${withReason ? html`<label>reason<input name="reason" value=${reason} onInput=${(event) => setReason(event.target.value)} /></label>` : null}
          <button disabled=${busy} autofocus>${busy ? 'At work…' : `Yes, ${chosen.text.toLowerCase()}`}</button>
          <button type="button" disabled=${busy} onClick=${() => setChosen(null)}>No</button>
        </form>`
        : html`<p>${actions.map((it) => html`<button onClick=${() => setChosen(it)}>${it.text}</button> `)}</p>`
    }
    <p role="status" class="good">${said}</p>
    <${Problem} text=${problem} />
  `;
}
