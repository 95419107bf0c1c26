import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { PREFIX } from '../../console/assets.ts';
import { makeConsole } from '../../console/console.ts';
import { openLiveSources } from '../../insight/live/live-sources.ts';
import type { Cloud } from '../../local/cloud.ts';
import { styleOf } from '../../terminal/style.ts';
import { localSettings } from '../target.ts';
import { actionsOn } from './actions.ts';
import { narrate } from './narrator.ts';

/** Milliseconds between two looks of the console at a local cloud. */
const LOOK_MS = 1_000;

/** Address of the console of a local cloud. */
export const consoleAddress = (cloud: Cloud): string => `${cloud.endpoint}${PREFIX}`;

/**
 * Serves the console of a local cloud and tells on the standard output what happens in it, until something is over.
 *
 * @param definition as a person named it.
 */
export async function serveUntil(
  over: Promise<void>,
  { cloud, group, definition }: { readonly cloud: Cloud; readonly group: FeatureGroup; readonly definition: string },
): Promise<void> {
  const stopping = new AbortController();
  const settings = localSettings(cloud.endpoint);
  const sources = await openLiveSources(group, cloud.stack.name, settings);
  const commandOptions = `--definition ${definition}`;
  const pages = makeConsole({
    sources,
    commandOptions,
    actions: actionsOn(sources, settings),
    lookMs: LOOK_MS,
    readsFreely: true,
  });
  cloud.servePages(PREFIX, pages.listener);
  const telling = narrate(sources, styleOf(process.stdout), (line) => console.log(line), stopping.signal);
  try {
    await over;
  } finally {
    stopping.abort();
    pages.close();
    await telling;
    sources.close();
  }
}
