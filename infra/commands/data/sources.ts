import { openSources, type Sources } from '../../insight/sources.ts';
import { type Target, type TargetOptions, targetOf, unreachable } from '../target.ts';

/**
 * Reaches what a stack's data lies in, by the SDK's own configuration.
 *
 * @param act may use the clients until it ends. Its signal is aborted by Ctrl-C.
 * @throws Error with the way out when the stack is not there or cannot be reached; otherwise whatever `act` does.
 */
export async function withSources<T>(
  options: TargetOptions,
  act: (sources: Sources, signal: AbortSignal, target: Target) => Promise<T>,
): Promise<T> {
  const target = await targetOf(options);
  const { group, names, settings } = target;
  const sources = await openSources(group, names.stack, settings).catch((cause: Error) => {
    throw /has no output/.test(cause.message) ? cause : unreachable(`The stack of ${group.name}`, cause);
  });
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error('Interrupted: the query was stopped.'));
  process.once('SIGINT', interrupt);
  try {
    return await act(sources, interrupted.signal, target);
  } finally {
    process.off('SIGINT', interrupt);
    sources.close();
  }
}
