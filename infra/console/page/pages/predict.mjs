import { useState } from 'preact/hooks';
import { ask } from '../ask.mjs';
import { Card, Command, html, Problem, Table } from '../parts.mjs';

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A prediction of a known record, or of a new one by a form that the definition makes. */
export function Predict({ stack }) {
  const [known, setKnown] = useState(true);
  const [identifier, setIdentifier] = useState('');
  const [values, setValues] = useState({});
  const [answer, setAnswer] = useState(null);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const features = stack.group.features.filter(({ training }) => training);
  const request = known ? { [stack.group.identifier.name]: identifier } : { features: valuesOf(features, values) };
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      setAnswer(await ask('predict', { request }));
      setProblem('');
    } catch (error) {
      setProblem(error.message);
    }
    setBusy(false);
  };
  return html`
    <h1>Predict</h1>
    <p role="radiogroup" aria-label="Of which record">
      <label class="choice"><input type="radio" name="of" checked=${known} onChange=${() => setKnown(true)} /> a known record</label>
      <label class="choice"><input type="radio" name="of" checked=${!known} onChange=${() => setKnown(false)} /> a new one</label>
    </p>
    <form onSubmit=${submit}>
      ${
        known
          ? html`<label>${stack.group.identifier.name}<input name="identifier" required autocomplete="off" value=${identifier} onInput=${(event) => setIdentifier(event.target.value)} /></label>`
          : features.map(
              (feature) =>
                html`<${Field} key=${feature.name} feature=${feature} value=${values[feature.name] ?? ''} set=${(value) => setValues({ ...values, [feature.name]: value })} />`,
            )
      }
      <button disabled=${busy}>${busy ? 'At work…' : 'Predict'}</button>
    </form>
    <${Problem} text=${problem} />
    <div class="cards">
      ${answer ? html`<${Answer} answer=${answer} />` : null}
      <${Calls} request=${request} stack=${stack} />
    </div>
  `;
}

/** What was filled in. Numbers go as the texts that they are, so that no digit is lost; what is empty is left out. */
function valuesOf(features, values) {
  const given = features.filter(({ name }) => (values[name] ?? '') !== '');
  return Object.fromEntries(
    given.map(({ name, type }) => [name, type === 'boolean' ? values[name] === 'true' : values[name]]),
  );
}

function Field({ feature, value, set }) {
  const { name, type, optional, categories, min, max } = feature;
  const choices = type === 'boolean' ? ['true', 'false'] : categories;
  const onInput = (event) => set(event.target.value);
  return html`<label>
    <span>${name}${optional ? html` <span class="faint">optional</span>` : null}</span>
    ${
      choices
        ? html`<select name=${name} value=${value} required=${!optional} onInput=${onInput}>
          <option value=""></option>
          ${choices.map((it) => html`<option value=${it}>${it}</option>`)}
        </select>`
        : html`<input name=${name} inputmode="decimal" value=${value} required=${!optional} placeholder=${[min, max].some((it) => it !== undefined) ? `${min ?? ''} to ${max ?? ''}` : ''} onInput=${onInput} />`
    }
  </label>`;
}

function Answer({ answer }) {
  const { status, body, timings } = answer;
  if (status !== 200)
    return html`<${Card} title=${`Refused, ${status}`}><p class="bad" role="alert">${body.error}</p><//>`;
  const { score, predicted_label: label, predicted_class: name, scores, threshold, ...rest } = body;
  // A number that is predicted is no probability.
  const isNumber = label === undefined;
  return html`<${Card} title="Answer">
    <div class="big">${isNumber ? score : score.toFixed(4)} <span class="faint">is ${isNumber ? 'predicted' : 'the score'}</span></div>
    ${
      isNumber
        ? null
        : html`<progress max="1" value=${score} aria-label="Score"></progress>
    <p>Label ${label}${name === undefined ? '' : ` (${name})`}${threshold == null ? '' : html` <span class="faint">from ${threshold.toFixed(4)} on</span>`}</p>`
    }
    ${scores ? html`<${Table} names=${['class', 'probability']} rows=${Object.entries(scores).map(([it, share]) => [it, share.toFixed(4)])} />` : null}
    <${Table} names=${['', 'value']} rows=${Object.entries(rest)} />
    <${Table} names=${['step', 'ms']} rows=${Object.entries(timings)} />
  <//>`;
}

/** The same call by other means. */
function Calls({ request, stack }) {
  const name = `${stack.stack}-predict`;
  const json = JSON.stringify(request);
  const calls = [
    `npm run predict -- ${quoted(json)} ${stack.commandOptions}`,
    ...(stack.readsFreely ? [`curl ${location.origin}/lambda-url/${name}/ -d ${quoted(json)}`] : []),
    `aws lambda invoke --function-name ${name}:live --cli-binary-format raw-in-base64-out --payload ${quoted(json)} answer.json`,
    `boto3.client("lambda").invoke(FunctionName="${name}:live", Payload=json.dumps(json.loads(r'''${json}''')))`,
  ];
  return html`<${Card} title="The same call">${calls.map((text) => html`<${Command} key=${text} text=${text} />`)}<//>`;
}
