import { useEffect, useState } from 'preact/hooks';
import { ask } from '../ask.mjs';
import { Command, html, Problem } from '../parts.mjs';

/** Side of a drawing, in its own units, and the room around it. */
const SIDE = 100;
const ROOM = 4;

const NAMES = { challenger: 'this model', champion: 'the champion then', leader: 'the best that had served' };

/** ROC and calibration over the rows to judge by, of each model that has scored them; read when it is opened. */
export function Curves({ modelName }) {
  const [open, setOpen] = useState(false);
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (!open || found) return;
    ask('judged', { modelName }).then(setFound, (error) => setProblem(error.message));
  }, [open]);
  return html`<details onToggle=${(event) => setOpen(event.target.open)}>
    <summary>Curves and calibration</summary>
    <${Problem} text=${problem} />
    ${found ? (found.judged ? html`<${Drawn} judged=${found.judged} />` : html`<p class="faint">They are not kept any more.</p>`) : null}
  </details>`;
}

/** What the calibration is of, by the kind of the label. */
const TITLES = {
  binary: ['Calibration: share of class 1, by score', 'of class 1'],
  'multi-class': ['Calibration: share that is right, by the probability of the likeliest class', 'right'],
  regression: ['', 'mean of the labels'],
};

function Drawn({ judged }) {
  const models = Object.entries(judged.models);
  const challenger = judged.models.challenger?.calibration ?? [];
  const kind = judged.kind ?? 'binary';
  const [title, share] = TITLES[kind];
  const shown = (number) => (kind === 'regression' ? number.toPrecision(4) : number);
  return html`
    <p class="faint">Over ${judged.rows} rows that nothing was chosen by.</p>
    <p>${models.map(([name], index) => html`<span><span class=${`swatch class${index}`}></span> ${NAMES[name] ?? name}</span>`)}</p>
    ${
      kind === 'regression'
        ? null
        : html`<div class="pair">
      ${
        kind === 'multi-class'
          ? null
          : html`<${Square} title="ROC: found of class 1, by wrongly found of class 0">
        ${models.map(([name, { roc }], index) => html`<polyline key=${name} class=${`line${index}`} points=${roc.map(([wrong, found]) => point(wrong, found)).join(' ')} />`)}
      <//>`
      }
      <${Square} title=${title}>
        ${models.map(([name, { calibration }], index) => html`<polyline key=${name} class=${`line${index}`} points=${calibration.map(({ meanScore, share }) => point(meanScore, share)).join(' ')} />`)}
        ${challenger.map(({ meanScore, share, rows }) => html`<circle class="class0" cx=${x(meanScore)} cy=${y(share)} r=${1.5 + 4 * Math.sqrt(rows / judged.rows)} />`)}
      <//>
    </div>`
    }
    ${judged.models.challenger?.confusion ? html`<${Confusion} rows=${judged.models.challenger.confusion} />` : null}
    <div class="scroll" tabindex="0" role="region" aria-label="Calibration of this model">
      <table>
        <thead><tr><th scope="col">score</th><th scope="col">rows</th><th scope="col">mean score</th><th scope="col">${share}</th></tr></thead>
        <tbody>${challenger.map(({ from, to, rows, meanScore, share }) => html`<tr><td>${shown(from)} to ${shown(to)}</td><td>${rows}</td><td>${meanScore.toFixed(3)}</td><td>${share.toFixed(3)}</td></tr>`)}</tbody>
      </table>
    </div>
    <${Command} text=${`aws s3 cp ${judged.uri} -`} />
  `;
}

/** Which classes this model takes for which. */
function Confusion({ rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Rows by class, and by the class that is predicted">
    <table>
      <thead><tr><th scope="col">class</th>${rows.map((_, label) => html`<th scope="col">taken for ${label}</th>`)}</tr></thead>
      <tbody>${rows.map((taken, label) => html`<tr><th scope="row">${label}</th>${taken.map((count) => html`<td>${count}</td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}

const x = (share) => ROOM + share * SIDE;
const y = (share) => ROOM + (1 - share) * SIDE;
const point = (across, up) => `${x(across).toFixed(2)},${y(up).toFixed(2)}`;

/** A square from 0 to 1 both ways, with its diagonal. */
function Square({ title, children }) {
  const end = SIDE + 2 * ROOM;
  return html`<figure class="interval">
    <svg class="square" viewBox=${`0 0 ${end} ${end}`} role="img" aria-label=${title}>
      <rect class="frame" x=${ROOM} y=${ROOM} width=${SIDE} height=${SIDE} />
      <line class="least" x1=${x(0)} y1=${y(0)} x2=${x(1)} y2=${y(1)} />
      ${children}
    </svg>
    <figcaption class="faint">${title}</figcaption>
  </figure>`;
}
