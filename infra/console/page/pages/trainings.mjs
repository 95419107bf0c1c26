import { useEffect, useState } from 'preact/hooks';
import { Actions } from '../actions.mjs';
import { ask } from '../ask.mjs';
import { useLive } from '../live.mjs';
import { Card, Command, html, Problem, Table, timeOf } from '../parts.mjs';
import { Curves } from './curves.mjs';

const DECIDED = { promote: 'promoted', refuse: 'refused', failed: 'given up' };

/** Width and height of a drawing, in its own units, and the room at its sides. */
const WIDTH = 300;
const HEIGHT = 34;
const SIDE = 8;

/** States that pass at once are not listed, in milliseconds. */
const STATE_MS_MIN = 5;

/** Trainings: what is going on, and each epoch with its evidence. */
export function Trainings({ stack }) {
  const { seen } = useLive();
  if (!seen) return html`<h1>Trainings</h1><p class="faint">Looking…</p>`;
  const { status, state } = seen;
  return html`
    <h1>Trainings</h1>
    <div class="cards">
      <${Now} status=${status} state=${state} stack=${stack} />
      ${status.endpoint ? html`<${Endpoint} name=${status.endpoint} at=${status.at} serving=${status.serving} stack=${stack} />` : null}
      ${status.trainings.map((it) => html`<${Epoch} key=${`${it.epoch}-${it.attempt}`} training=${it} stack=${stack} serving=${status.serving?.modelName} />`)}
      <${Card} title="Decisions, newest first" wide>
        <${Table} none="No decision yet." names=${['at', 'decision', 'reason']} rows=${status.decisions.map(({ at, decision, reason }) => [at, decision, reason])} />
        <${Command} text=${`npm run status -- ${stack.commandOptions}`} />
      <//>
    </div>
  `;
}

function Now({ status, state, stack }) {
  const { serving, inFlight, paused, approval, next, lastFailure } = status;
  const action = (name, text, does) => ({ name, text, does });
  const actions = [
    action('retrain', 'Retrain', 'Train now, whatever the labels are?'),
    paused
      ? action('resume', 'Resume', 'Let trainings start by themselves again?')
      : action('pause', 'Pause', 'Start no training by itself any more?'),
    ...(approval
      ? [
          action('approve', 'Approve', `Promote ${approval.modelName}?`),
          action('reject', 'Reject', `Refuse ${approval.modelName}?`),
        ]
      : []),
    ...(serving ? [action('rollback', 'Roll back', `Put the model before ${serving.modelName} back, and pause?`)] : []),
  ];
  return html`<${Card} title="Now" wide>
    <p>
      ${serving ? html`<strong>${serving.modelName}</strong> serves${serving.rolledBack ? html`, <span class="bad">put back in place of ${serving.rolledBack.from}: ${serving.rolledBack.reason}</span>` : ''}.` : 'No model serves yet.'}
      ${inFlight ? html` Epoch ${inFlight.epoch}, attempt ${inFlight.attempt} is in <strong>${state ?? 'its beginning'}</strong>.` : ` ${next.decision}: ${next.reason}`}
    </p>
    ${paused ? html`<p class="warn">Paused since ${paused.at}: ${paused.reason}</p>` : null}
    ${approval ? html`<p class="warn">${approval.modelName} waits for a person until ${approval.expiresAt}. ${approval.reason}</p>` : null}
    ${lastFailure ? html`<p class="bad">Epoch ${lastFailure.epoch}, attempt ${lastFailure.attempt} failed: ${lastFailure.error}: ${lastFailure.cause}</p>` : null}
    <${Actions} stack=${stack} actions=${actions} withReason />
    <${Command} text=${`npm run rollback -- --reason "…" ${stack.commandOptions}`} />
    <${Command} text=${`npm run retrain -- --dry-run ${stack.commandOptions}`} />
  <//>`;
}

/** Who serves, and the canary of an update; asked again with each look. */
function Endpoint({ name, at, serving, stack }) {
  const [endpoint, setEndpoint] = useState(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    ask('endpoint', { name }).then(
      (answer) => {
        setEndpoint(answer.endpoint);
        setProblem('');
      },
      (error) => setProblem(error.message),
    );
  }, [name, at]);
  const canary =
    endpoint?.instances === 1
      ? 'An update of one instance moves all requests at once.'
      : `An update begins with a canary of one instance, watched for ${stack.canarySeconds} s.`;
  return html`<${Card} title="Endpoint">
    <${Problem} text=${problem} />
    <p><strong>${name}</strong>${endpoint ? html` is <span class=${endpoint.status === 'InService' ? 'good' : 'warn'}>${endpoint.status}</span>` : ''}</p>
    ${
      endpoint
        ? html`
      <p>${endpoint.configuration} answers${endpoint.instances === null ? '' : html` <span class="faint">by ${endpoint.instances} instances</span>`}.</p>
      ${
        endpoint.pending
          ? html`<p class="warn">${endpoint.pending.configuration} is to take its place${endpoint.pending.stage ? `: ${endpoint.pending.stage}` : ''}. ${canary}</p>`
          : html`<p class="faint">No update is under way. ${canary}</p>`
      }
      ${endpoint.failure ? html`<p class="bad">${endpoint.failure}</p>` : null}`
        : null
    }
    ${serving?.threshold === undefined ? null : html`<p class="faint">Label 1 from a score of ${serving.threshold.toFixed(4)} on.</p>`}
    <${Command} text=${`aws sagemaker describe-endpoint --endpoint-name ${name}`} />
  <//>`;
}

function Epoch({ training, stack, serving }) {
  const { epoch, attempt, decision, reason, modelName, counts, comparison, closedAt, rolledBackAt } = training;
  const { trainRows = 0, validationRows = 0, judgeRows = 0 } = counts;
  const style = { promote: 'good', refuse: 'warn', failed: 'bad' }[decision];
  return html`<${Card} title=${`Epoch ${epoch}, attempt ${attempt}`}>
    <p><strong class=${style}>${DECIDED[decision]}</strong>${modelName !== undefined && modelName === serving ? ', serves' : ''} <span class="faint">${closedAt}</span></p>
    ${rolledBackAt ? html`<p class="bad">Rolled back at ${rolledBackAt}: ${training.rollbackReason}</p>` : null}
    <p>${modelName ?? 'no model'}</p>
    <p>${reason}</p>
    <p class="faint">${trainRows} rows trained, ${validationRows} validated, ${judgeRows} judged</p>
    ${comparison ? html`<p>${metricsText(comparison)}</p>` : null}
    ${comparison?.gain ? html`<${Gain} gain=${comparison.gain} over="the champion" comparison=${comparison} />` : null}
    ${comparison?.gainOverLeader ? html`<${Gain} gain=${comparison.gainOverLeader} over="the best that has served" comparison=${comparison} />` : null}
    ${comparison?.area ? html`<${Area} area=${comparison.area} />` : null}
    ${comparison ? html`<${Curves} modelName=${modelName} />` : null}
    <${States} epoch=${epoch} attempt=${attempt} />
    ${modelName ? html`<${Command} text=${`npm run export -- --training-set ${modelName} --out rows.csv ${stack.commandOptions}`} />` : null}
  <//>`;
}

/** Names of the measures that are told, of whatever kind of label, and the first of them against the champion's. */
const MEASURES = { auc: 'AUC', rmse: 'RMSE', mae: 'MAE', logLoss: 'log loss', macroF1: 'macro F1' };
function metricsText({ challenger, champion }) {
  return Object.keys(MEASURES)
    .filter((name) => challenger[name] !== undefined)
    .map((name, index) => {
      const against = index === 0 && champion?.[name] !== undefined ? ` against ${champion[name].toFixed(4)}` : '';
      return `${MEASURES[name]} ${challenger[name].toFixed(4)}${against}`;
    })
    .join(', ');
}

/** The interval of the gain, and the least gain that the gate asks for. */
function Gain({ gain, over, comparison: { metric, minimumGain } }) {
  const text = `${metric}: a gain over ${over} of ${told(gain)}; the gate asks for ${minimumGain}`;
  return html`<${Interval} interval=${gain} least=${minimumGain} zero=${0} text=${text} />`;
}

/** The interval of a model that was compared with no other on these rows, and what one end of it has to reach. */
function Area({ area }) {
  const { least, end, name = 'auc' } = area;
  const asked = end === 'low' ? `all of it at ${least} or above` : `some of it at ${least.toFixed(4)} or above`;
  return html`<${Interval} interval=${area} least=${least} zero=${least} text=${`${name} of ${told(area)}; the gate asks for ${asked}`} />`;
}

const told = ({ value, low, high, confidence }) =>
  `${value.toFixed(4)}, from ${low.toFixed(4)} to ${high.toFixed(4)} at ${confidence} %`;

/** An interval on a line, with zero and the least that is asked for. */
function Interval({ interval: { value, low, high }, least, zero, text }) {
  const [from, to] = [Math.min(low, least, zero), Math.max(high, least, zero)];
  const x = (it) => SIDE + ((it - from) / (to - from || 1)) * (WIDTH - 2 * SIDE);
  return html`<figure class="interval">
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${text}>
      <line class="axis" x1=${x(zero)} x2=${x(zero)} y1="2" y2=${HEIGHT - 2} />
      <line class="least" x1=${x(least)} x2=${x(least)} y1="2" y2=${HEIGHT - 2} />
      <line class="gain" x1=${x(low)} x2=${x(high)} y1=${HEIGHT / 2} y2=${HEIGHT / 2} />
      <circle class="gain" cx=${x(value)} cy=${HEIGHT / 2} r="5" />
    </svg>
    <figcaption class="faint">${text}</figcaption>
  </figure>`;
}

/** State by state, as Step Functions has it; read when it is opened. */
function States({ epoch, attempt }) {
  const [open, setOpen] = useState(false);
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (!open || found) return;
    ask('training', { epoch, attempt }).then(
      (answer) => setFound(answer),
      (error) => setProblem(error.message),
    );
  }, [open]);
  const states = found?.states;
  const lasted = (states ?? []).filter(({ enteredMs, leftMs }) => (leftMs ?? Date.now()) - enteredMs >= STATE_MS_MIN);
  const start = lasted[0]?.enteredMs ?? 0;
  const total = Math.max(1, (lasted.at(-1)?.leftMs ?? Date.now()) - start);
  return html`<details onToggle=${(event) => setOpen(event.target.open)}>
    <summary>State by state</summary>
    <${Problem} text=${problem} />
    ${states?.length === 0 ? html`<p class="faint">Step Functions does not have it any more.</p>` : null}
    ${lasted.map(({ name, enteredMs, leftMs }) => {
      const ms = (leftMs ?? Date.now()) - enteredMs;
      return html`<div class="state">
        <span><span class="faint">${timeOf(enteredMs)}</span> ${name}</span><span class="faint">${ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`}</span>
        <svg viewBox=${`0 0 ${WIDTH} 4`} preserveAspectRatio="none" aria-hidden="true">
          <rect x=${((enteredMs - start) / total) * WIDTH} width=${Math.max(1, (ms / total) * WIDTH)} height="4" />
        </svg>
      </div>`;
    })}
    ${found ? html`<${Command} text=${`aws stepfunctions get-execution-history --execution-arn ${found.arn}`} />` : null}
  </details>`;
}
