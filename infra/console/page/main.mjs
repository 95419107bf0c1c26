import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ask } from './ask.mjs';
import { listen, useLive } from './live.mjs';
import { Features } from './pages/features.mjs';
import { Flow } from './pages/flow.mjs';
import { Predict } from './pages/predict.mjs';
import { Quarantine } from './pages/quarantine.mjs';
import { Query } from './pages/query.mjs';
import { Record } from './pages/record.mjs';
import { Trainings } from './pages/trainings.mjs';
import { html, Problem } from './parts.mjs';

/** Pages by their name in the address, in the order of the keys 1, 2, … */
const PAGES = {
  flow: Flow,
  record: Record,
  features: Features,
  trainings: Trainings,
  quarantine: Quarantine,
  query: Query,
  predict: Predict,
};
const NAMES = Object.keys(PAGES);
/** Pages that a definition without a label has no use for. */
const OF_MODELS = ['trainings', 'predict'];

const pageOfAddress = () => NAMES.find((name) => location.hash === `#/${name}`) ?? NAMES[0];

/** Digits go to pages, unless something is being written. */
function onKey({ key, target, ctrlKey, metaKey, altKey }) {
  if (ctrlKey || metaKey || altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
  const name = NAMES[Number(key) - 1];
  if (name) location.hash = `#/${name}`;
}

function App({ stack }) {
  const [page, setPage] = useState(pageOfAddress);
  const names = stack.group.label === null ? NAMES.filter((name) => !OF_MODELS.includes(name)) : NAMES;
  const { trouble } = useLive();
  useEffect(() => {
    addEventListener('hashchange', () => setPage(pageOfAddress()));
    addEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    document.title = `${page} · ${stack.group.name} · Tributary`;
  }, [page]);
  return html`
    <a class="skip" href=${`#/${page}`} onClick=${() => document.querySelector('main').focus()}>To the page</a>
    <header>
      <strong>Tributary</strong>
      <span class="faint">${stack.stack}</span>
      <nav aria-label="Pages">
        ${names.map(
          (name) => html`<a
            href=${`#/${name}`}
            aria-current=${name === page ? 'page' : undefined}
            aria-keyshortcuts=${String(NAMES.indexOf(name) + 1)}
            title=${`Key ${NAMES.indexOf(name) + 1}`}
            >${name[0].toUpperCase() + name.slice(1)}</a
          >`,
        )}
      </nav>
    </header>
    <main tabindex="-1">
      <${Problem} text=${trouble} />
      <${PAGES[page]} stack=${stack} />
    </main>
  `;
}

listen();
ask('stack').then(
  (stack) => render(html`<${App} stack=${stack} />`, document.querySelector('#app')),
  (error) => render(html`<main><${Problem} text=${error.message} /></main>`, document.querySelector('#app')),
);
