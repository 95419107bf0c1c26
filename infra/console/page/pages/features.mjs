import { useEffect, useState } from 'preact/hooks';
import { ask } from '../ask.mjs';
import { Card, Command, html, Problem } from '../parts.mjs';

/** Stability from which on a feature has shifted, and has shifted greatly. */
const SHIFTED = 0.1;
const SHIFTED_GREATLY = 0.25;

/** Columns of a feature whose weights are shown. */
const WEIGHTS_SHOWN = 3;

/** Height of a histogram and width of a bin, in its own units. */
const HEIGHT = 60;
const BIN = 12;

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const counted = (rows) =>
  Object.entries(rows)
    .map(([label, count]) => {
      if (label === '') return `${count} without a label`;
      return label === 'number' ? `${count} with a label` : `${count} of class ${label}`;
    })
    .join(', ') || 'none';

/** How the values of each feature are spread, now and in the rows that the newest model has learned from. */
export function Features({ stack }) {
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const read = () => {
    setBusy(true);
    ask('features')
      .then(
        (answer) => {
          setFound(answer);
          setProblem('');
        },
        (error) => setProblem(error.message),
      )
      .finally(() => setBusy(false));
  };
  useEffect(() => {
    if (stack.readsFreely) read();
  }, []);
  return html`
    <h1>Features</h1>
    <p>
      <button disabled=${busy} onClick=${read}>${busy ? 'Reading…' : found ? 'Read again' : 'Read'}</button>
      ${stack.readsFreely ? '' : html` <span class="faint">Athena bills the columns of all records.</span>`}
    </p>
    <${Problem} text=${problem} />
    ${found ? html`<${Summary} found=${found} />` : null}
    <${Command} text=${`npm run features -- summary ${stack.commandOptions}`} />
  `;
}

function Summary({ found }) {
  const { rows, baseline, features } = found;
  const classes = [...new Set([...Object.keys(rows), ...Object.keys(baseline?.rows ?? {})])].filter(Boolean).sort();
  if (Object.keys(rows).length === 0 && !baseline) {
    return html`<p>The views have no record yet. They are behind the table by the buffer of the change log.</p>`;
  }
  const dead = features.filter((it) => it.dead);
  const shifted = features.filter(({ stability }) => stability >= SHIFTED);
  return html`
    <div class="cards">
      <${Card} title="Rows" wide>
        <p>Now: ${counted(rows)}.</p>
        <p>${baseline ? `Learned by ${baseline.model}: ${counted(baseline.rows)}.` : 'No model has learned from them yet.'}</p>
        <p>${dead.length > 0 ? html`<span class="warn">Nothing to learn from: ${dead.map((it) => `${it.name} has ${it.dead}`).join(', ')}.</span>` : 'Every feature has more than one value.'}</p>
        ${baseline?.constant.length > 0 ? html`<p class="warn">Columns of one value in the training: ${baseline.constant.join(', ')}.</p>` : null}
        ${baseline?.unweighted ? html`<p class="faint">No weights: ${baseline.unweighted}</p>` : null}
        ${shifted.length > 0 ? html`<p class="warn">Shifted since the training: ${shifted.map(({ name }) => name).join(', ')}.</p>` : null}
        <p class="legend">
          ${classes.map((label, index) => html`<span><span class=${`swatch class${index}`}></span> class ${label}, now </span>`)}
          ${baseline ? html`<span><span class="swatch then"></span> in the training</span>` : null}
        </p>
      <//>
      ${features.map((it) => html`<${Feature} key=${it.name} feature=${it} classes=${classes} />`)}
    </div>
  `;
}

function Feature({ feature, classes }) {
  const { name, type, training, now, baseline, stability, dead } = feature;
  const style = stability >= SHIFTED_GREATLY ? 'bad' : stability >= SHIFTED ? 'warn' : 'faint';
  return html`<${Card} title=${name}>
    <p class="faint">${type}${training ? '' : ', not learned from'}${now.range ? `, ${type === 'timestamp' ? '' : `${now.range[0]} to ${now.range[1]}`}` : ''}</p>
    <div>missing: ${percent(now.missing)}${baseline ? html` <span class="faint">(${percent(baseline.missing)} in the training)</span>` : ''}</div>
    ${stability === null ? null : html`<div class=${style}>stability index ${stability.toFixed(3)}</div>`}
    ${feature.weights ? html`<${Weights} weights=${feature.weights} />` : null}
    ${dead ? html`<div class="warn">${dead}</div>` : null}
    ${feature.bins.length > 1 ? html`<${Histogram} feature=${feature} classes=${classes} />` : null}
  <//>`;
}

/** What a linear model's log odds gain by a standard deviation of each column, the heaviest first. */
function Weights({ weights }) {
  const told = weights.filter(({ perDeviation }) => perDeviation !== null);
  const heaviestFirst = told.toSorted((a, b) => Math.abs(b.perDeviation) - Math.abs(a.perDeviation));
  const text = heaviestFirst.slice(0, WEIGHTS_SHOWN).map((it) => `${it.column} ${it.perDeviation.toFixed(2)}`);
  return text.length === 0 ? null : html`<div>weight per deviation: ${text.join(', ')}</div>`;
}

/** Bars by class of now, with a line for the same class in the training. Below it the figures as a table. */
function Histogram({ feature, classes }) {
  const { name, bins, now, baseline } = feature;
  const known = classes.filter((label) => now.byClass[label] ?? baseline?.byClass[label]);
  // Before the first label, all rows are drawn.
  const drawn =
    known.length > 0
      ? known.map((label) => [label, now.byClass[label], baseline?.byClass[label]])
      : [['', now, baseline]];
  const greatest = Math.max(
    ...drawn.flatMap(([, one, other]) => [...(one?.shares ?? []), ...(other?.shares ?? [])]),
    1e-9,
  );
  const width = BIN / drawn.length;
  const y = (share) => HEIGHT * (1 - share / greatest);
  const heads = drawn.map(([label]) => (label === '' ? 'all' : `class ${label}`));
  return html`
    <svg class="histogram" viewBox=${`0 0 ${bins.length * (BIN + 2)} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${`Histogram of ${name}; its figures are in the table below it`}>
      ${drawn.flatMap(([, one, other], index) =>
        bins.map((bin, at) => {
          const x = at * (BIN + 2) + index * width;
          const share = one?.shares[at] ?? 0;
          const then = other?.shares[at];
          return html`<g key=${`${index}-${bin}`}>
            <rect class=${`class${index}`} x=${x} y=${y(share)} width=${width} height=${HEIGHT - y(share)} />
            ${then === undefined ? null : html`<rect class="then" x=${x} y=${Math.min(HEIGHT - 1.5, y(then))} width=${width} height="1.5" />`}
          </g>`;
        }),
      )}
    </svg>
    <details>
      <summary>Figures</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Figures of ${name}`}>
        <table>
          <thead><tr><th scope="col">value</th>${heads.map((it) => html`<th scope="col">${it}</th>${baseline ? html`<th scope="col">in the training</th>` : null}`)}</tr></thead>
          <tbody>${bins.map((bin, at) => html`<tr><td>${bin}</td>${drawn.map(([, one, other]) => html`<td>${percent(one?.shares[at] ?? 0)}</td>${baseline ? html`<td>${percent(other?.shares[at] ?? 0)}</td>` : null}`)}</tr>`)}</tbody>
        </table>
      </div>
    </details>
  `;
}
