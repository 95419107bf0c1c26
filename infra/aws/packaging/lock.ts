import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { untrainable } from '../../../shared/training/trainable.ts';
import { lockFile } from '../definitions/definitions.ts';
import { evolutionOf, type LockedDefinition, lockOf } from './evolution.ts';
import type { Serverless } from './osls.ts';

/**
 * Compares the definition with its lock before anything is packaged, and adds to the lock what is new.
 *
 * @throws Error naming every change that a deployment could only make by replacing what holds data, and why no model can be
 *   trained, if none can.
 */
export async function checkLock(serverless: Serverless, say: (line: string) => void): Promise<void> {
  const { stackTags = {} } = serverless.service.provider;
  const name = serverless.service.custom.featureGroup;
  const file = join(serverless.serviceDir, lockFile(name));
  const group = await loadFeatureGroup(name);
  const problems = untrainable(group);
  if (problems.length > 0) {
    throw new serverless.classes.Error(
      `No model can ever be trained by the definition ${name}:\n${problems.map((it) => `- ${it}`).join('\n')}`,
    );
  }
  const now = lockOf(group, stackTags);
  const locked = readLock(file);
  const { added, refused, retraining } = evolutionOf(locked ?? now, now);
  if (refused.length > 0) {
    throw new serverless.classes.Error(
      `The definition ${name} has changes that no deployment can make without losing data (${lockFile(name)} says what is deployed):\n${refused.map((it) => `- ${it}`).join('\n')}\nA table or group that is really another gets a definition of its own. If the lock was never deployed, take its former version back from version control.`,
    );
  }
  if (locked && added.length === 0 && locked.schemaHash === now.schemaHash) return;
  writeFileSync(file, `${JSON.stringify(now, undefined, 2)}\n`);
  if (retraining) say(retraining);
  const grown =
    added.length > 0 ? `has new features (${added.join(', ')})` : 'trains by another schema than its lock says';
  say(`The definition ${name} ${locked ? grown : 'is new'}: ${lockFile(name)} was written; commit it.`);
}

function readLock(file: string): LockedDefinition | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
