import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../ask.mjs';
import { useLive } from '../live.mjs';
import { Card, Command, html, Problem, Table, Value } from '../parts.mjs';

/** Milliseconds between two readings of a change log that lacks a change, and for how long it is waited for. */
const LATE_READ_MS = 500;
const LATE_MS_MAX = 15_000;

/** The record that another page leads to. It is in no address, which a history would keep. */
let wanted = '';

/** Goes to the page of a record. */
export function showRecord(identifier) {
  wanted = identifier;
  location.hash = '#/record';
}

/** One record in its three places: the item, the online store, and the change log as of a moment. And its predictions. */
export function Record({ stack }) {
  const [identifier, setIdentifier] = useState(wanted);
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const { seen } = useLive();
  const asked = useRef('');

  const read = async (id, history) => {
    setBusy(true);
    try {
      const answer = await ask('record', { identifier: id, history });
      if (asked.current !== id) return;
      setFound((before) => ({
        ...answer,
        changes: answer.changes ?? before?.changes ?? [],
        predictions: answer.predictions ?? before?.predictions ?? [],
        identifier: id,
      }));
      setProblem('');
    } catch (error) {
      setProblem(error.message);
    }
    setBusy(false);
  };
  const submit = (event) => {
    event.preventDefault();
    asked.current = identifier;
    setFound(null);
    read(identifier, true);
  };
  useEffect(() => {
    if (wanted === '') return;
    asked.current = wanted;
    read(wanted, true);
    wanted = '';
  }, []);
  // A batch may have brought a change of this record. On AWS the change log is read when it is asked for only.
  const lastBatchMs = seen?.batches.at(-1)?.atMs;
  useEffect(() => {
    if (asked.current !== '' && lastBatchMs !== undefined) read(asked.current, stack.readsFreely);
  }, [lastBatchMs]);
  // Its row is some seconds later in the change log than in the online store.
  const isLate = stack.readsFreely && found?.online && found.online.eventTime !== found.changes.at(-1)?.eventTime;
  useEffect(() => {
    if (!isLate) return;
    const again = setInterval(() => read(asked.current, true), LATE_READ_MS);
    const enough = setTimeout(() => clearInterval(again), LATE_MS_MAX);
    return () => {
      clearInterval(again);
      clearTimeout(enough);
    };
  }, [isLate, found?.online?.eventTime]);

  return html`
    <h1>Record</h1>
    <form onSubmit=${submit}>
      <label>
        ${stack.group.identifier.name}
        <input name="identifier" autocomplete="off" required value=${identifier} onInput=${(event) => setIdentifier(event.target.value)} />
      </label>
      <button>Show</button>
      <span class="faint" aria-live="polite">${busy ? 'Reading…' : ''}</span>
    </form>
    ${stack.group.identifier.attributes.length > 1 ? html`<p class="faint">Its key attributes ${stack.group.identifier.attributes.join(' and ')}, joined by “|”.</p>` : null}
    <${Problem} text=${problem} />
    ${found ? html`<${Places} found=${found} stack=${stack} />` : null}
  `;
}

const isRemoval = ({ eventName }) => eventName.endsWith('REMOVE');

function Places({ found, stack }) {
  const { item, online, changes, predictions, identifier } = found;
  const [chosen, setChosen] = useState(null);
  if (!item && !online && changes.length + predictions.length === 0) {
    return html`<p>No item has this identifier, and nothing of it is in the online store or in the change log.</p>`;
  }
  const position = chosen ?? changes.length - 1;
  const change = changes[position];
  const logged = change && !isRemoval(change) ? change : undefined;
  const places = [item, online, logged];
  const { group } = stack;
  const features = [...group.features.map(({ name }) => name), ...(group.label === null ? [] : [group.label])];
  const quoted = `'${identifier.replaceAll("'", "'\\''")}'`;
  return html`
    ${item?.rejection ? html`<p class="bad">The item is not taken: ${item.rejection}</p>` : null}
    <div class="cards">
      <${Card} title="Three places" wide>
        <div class="scroll" tabindex="0" role="region" aria-label="The record in its three places">
          <table>
            <thead><tr><th scope="col">feature</th><th scope="col">item</th><th scope="col">online store</th><th scope="col">change log</th></tr></thead>
            <tbody>
              <tr><td>event_time</td><td class="faint">${item ? '' : 'not there'}</td>${[online, logged].map((it) => html`<td><${Value} of=${it?.eventTime ?? 'not there'} /></td>`)}</tr>
              ${features.map((name) => html`<${Row} name=${name} places=${places} label=${name === stack.group.label} />`)}
            </tbody>
          </table>
        </div>
        <${Command} text=${`npm run features -- get ${quoted} --places ${stack.commandOptions}`} />
      <//>
      <${History} changes=${changes} position=${position} choose=${setChosen} features=${features} stack=${stack} quoted=${quoted} />
      ${group.label === null ? null : html`<${Predictions} kept=${predictions} identifier=${identifier} stack=${stack} />`}
    </div>
  `;
}

/** One feature. Athena writes a fractional as a double, so numbers are compared as numbers. */
function Row({ name, places, label }) {
  const values = places.map((place) => place?.features[name] ?? null);
  const same = values.every(
    (it) => it === values[0] || (it !== null && values[0] !== null && Number(it) === Number(values[0])),
  );
  return html`<tr class=${same ? '' : 'differs'}>
    <td>${name}${label ? html` <span class="faint">label</span>` : null}</td>
    ${values.map((value) => html`<td><${Value} of=${value} /></td>`)}
  </tr>`;
}

function History({ changes, position, choose, features, stack, quoted }) {
  if (changes.length === 0) {
    return html`<${Card} title="Changes" wide><p class="faint">The change log has none of this record yet.</p><//>`;
  }
  const asOf = changes[position].eventTime;
  return html`<${Card} title=${`Changes: ${changes.length}`} wide>
    <label>
      as of ${asOf}
      <input type="range" min="0" max=${changes.length - 1} value=${position} onInput=${(event) => choose(Number(event.target.value))} />
    </label>
    <ol class="log" tabindex="0" aria-label="Changes, newest first">
      ${changes
        .map(
          (change, index) => html`<li class=${index === position ? '' : 'faint'}>
        ${change.eventTime} <strong>${change.eventName}</strong> ${told(change, changes[index - 1], features)}
      </li>`,
        )
        .toReversed()}
    </ol>
    <${Command} text=${`npm run features -- get ${quoted} --as-of ${asOf} ${stack.commandOptions}`} />
    <${Command} text=${`npm run features -- get ${quoted} --history ${stack.commandOptions}`} />
  <//>`;
}

/** The newest predictions of the record, where they are kept. */
function Predictions({ kept, identifier, stack }) {
  if (stack.predictionLog === null) {
    return html`<${Card} title="Predictions" wide>
      <p class="faint">predict keeps none: the parameter predictionLog is off.</p>
    <//>`;
  }
  const columns = ['predicted_at', 'score', 'predicted_label', 'threshold', 'model', 'schema_hash', 'encoded_row'];
  const rounded = (text) => (text === null ? null : Number(text).toFixed(4));
  const drawn = (it) => ({
    ...it,
    score: rounded(it.score),
    threshold: rounded(it.threshold),
    model: html`<span class="unbroken">${it.model}</span>`,
    encoded_row: html`<${EncodedRow} of=${it.encoded_row} />`,
  });
  const sql = `SELECT ${columns.join(', ')} FROM ${stack.predictionLog} WHERE record_identifier = '${identifier.replaceAll("'", "''")}' ORDER BY predicted_at DESC`;
  return html`<${Card} title=${`Predictions: ${kept.length}`} wide>
    ${
      kept.length === 0
        ? html`<p class="faint">The prediction log has none of this record yet.</p>`
        : html`<${Table} names=${columns} rows=${kept.map(drawn).map((it) => columns.map((name) => it[name]))} />`
    }
    <${Command} text=${`npm run sql -- '${sql.replaceAll("'", "'\\''")}' ${stack.commandOptions}`} />
  <//>`;
}

/** The numbers that the endpoint was sent, which may be hundreds. */
function EncodedRow({ of }) {
  return html`<details><summary>${of.split(',').length} numbers</summary><code>${of}</code></details>`;
}

/** What a change changed. */
function told(change, before, features) {
  if (isRemoval(change)) return change.ttlExpired ? 'expired' : 'removed';
  if (!before || isRemoval(before)) return 'all of it';
  const changed = features.filter((name) => change.features[name] !== before.features[name]);
  return (
    changed
      .map((name) => `${name} ${before.features[name] ?? 'NULL'} → ${change.features[name] ?? 'NULL'}`)
      .join(', ') || 'nothing that the definition names'
  );
}
