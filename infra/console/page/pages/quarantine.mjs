import { useEffect, useState } from 'preact/hooks';
import { Actions } from '../actions.mjs';
import { ask } from '../ask.mjs';
import { useLive } from '../live.mjs';
import { Card, Command, html, Problem } from '../parts.mjs';
import { showRecord } from './record.mjs';

/** What waits to be put right, by reason and place. Values are hidden until they are asked for. */
export function Quarantine({ stack }) {
  const [waiting, setWaiting] = useState(null);
  const [show, setShow] = useState(false);
  const [problem, setProblem] = useState('');
  const { seen } = useLive();
  const read = (values) =>
    ask('waiting', { show: values }).then(
      (answer) => {
        setWaiting(answer);
        setProblem('');
      },
      (error) => setProblem(error.message),
    );
  const count = seen?.waiting.objects;
  useEffect(() => {
    read(show);
  }, [show, count]);
  const all = [{ name: 'redrive', text: 'Redrive all', does: 'Write what the items are now to both stores?' }];
  return html`
    <h1>Quarantine</h1>
    <${Problem} text=${problem} />
    ${waiting ? html`<${Groups} waiting=${waiting} show=${show} setShow=${setShow} stack=${stack} read=${() => read(show)} />` : html`<p class="faint">Reading…</p>`}
    ${
      waiting?.groups.length > 0
        ? html`<${Card} title="Put it right">
      <p>Correct the items in the table, or the definition. Then redrive: it takes the table as truth.</p>
      <${Actions} stack=${stack} actions=${all} onDone=${() => read(show)} />
      <${Command} text=${`npm run redrive -- ${stack.commandOptions}`} />
    <//>`
        : null
    }
  `;
}

function Groups({ waiting, show, setShow, stack, read }) {
  const { groups, objects, more } = waiting;
  const unreadable = objects.filter(({ records }) => records === 0);
  if (objects.length === 0) return html`<p class="good">Nothing waits.</p>`;
  return html`
    <p>
      <label><span><input type="checkbox" checked=${show} onChange=${(event) => setShow(event.target.checked)} /> show the values, which may be personal data</span></label>
    </p>
    <div class="cards">
      ${groups.map((group) => html`<${Group} key=${`${group.reason} ${group.place}`} group=${group} show=${show} stack=${stack} read=${read} />`)}
    </div>
    ${unreadable.map(({ key, reason }) => html`<p class="bad">${key}: ${reason}</p>`)}
    ${more ? html`<p class="warn">There are more objects than are shown.</p>` : null}
    <${Command} text=${`npm run redrive -- --list ${show ? '--show ' : ''}${stack.commandOptions}`} />
    <p></p>
  `;
}

function Group({ group, show, stack, read }) {
  const { reason, place, message, records, items } = group;
  const [chosen, setChosen] = useState(null);
  const ofGroup = { reason, ...(place !== '' && { place }) };
  const isOne = items.some(({ item }) => item === chosen);
  const actions = [
    {
      name: 'redrive',
      text: 'Redrive this group',
      does: `Put all ${records} right that wait for ${reason}?`,
      request: ofGroup,
    },
    ...(isOne
      ? [
          {
            name: 'redrive',
            text: `Redrive ${chosen}`,
            does: `Put ${chosen} right?`,
            request: { selection: { item: chosen } },
          },
        ]
      : []),
  ];
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return html`<${Card} title=${`${records} × ${reason}`} wide>
    <p>${place === '' ? '' : html`at <code>${place}</code>: `}${message}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${`Items that wait for ${reason}`}>
      <table>
        <thead><tr><th scope="col">one</th><th scope="col">item</th>${show ? html`<th scope="col">value</th>` : null}</tr></thead>
        <tbody>
          ${items.map(
            ({ item, value }) => html`<tr>
            <td><input type="radio" name=${`${reason} ${place}`} aria-label=${`Choose ${item}`} checked=${item === chosen} onChange=${() => setChosen(item)} /></td>
            <td><button class="small" onClick=${() => showRecord(item)}>${item}</button></td>
            ${show ? html`<td><code>${JSON.stringify(value)}</code></td>` : null}
          </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${items.length < records ? html`<p class="faint">The first ${items.length} are shown.</p>` : null}
    <${Actions} stack=${stack} actions=${actions} onDone=${read} />
    <${Command} text=${`npm run redrive -- --reason ${reason} ${place === '' ? '' : `--place ${quoted(place)} `}${stack.commandOptions}`} />
    ${isOne ? html`<${Command} text=${`npm run redrive -- --item ${quoted(chosen)} ${stack.commandOptions}`} />` : null}
  <//>`;
}
