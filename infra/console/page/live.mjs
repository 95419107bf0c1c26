import { useEffect, useState } from 'preact/hooks';

/** Batches and lines that are kept. */
const KEPT_MAX = 600;

const listeners = new Set();
let seen;
let trouble = '';

/** Begins to listen to what the server sees; the browser comes back by itself when the connection breaks. */
export function listen() {
  const source = new EventSource('live');
  source.addEventListener('look', ({ data }) => {
    const now = JSON.parse(data);
    const kept = (name) => [...(seen?.[name] ?? []), ...now[name]].slice(-KEPT_MAX);
    seen = { ...now, batches: kept('batches'), rejected: kept('rejected'), happened: kept('happened'), fresh: now };
    tell('');
  });
  source.addEventListener('trouble', ({ data }) => tell(JSON.parse(data).message));
  source.addEventListener('open', () => {
    // What comes first is all that the server has kept.
    seen = undefined;
  });
  source.addEventListener('error', () => tell('The console does not answer. It may have been stopped.'));
}

function tell(problem) {
  trouble = problem;
  for (const listener of listeners) listener({ seen, trouble });
}

/** What is seen now: `{ seen, trouble }`; nothing is seen before the first look. */
export function useLive() {
  const [live, setLive] = useState({ seen, trouble });
  useEffect(() => {
    listeners.add(setLive);
    setLive({ seen, trouble });
    return () => listeners.delete(setLive);
  }, []);
  return live;
}
