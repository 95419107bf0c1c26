import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { lockFile } from '../definitions/definitions.ts';
import { evolutionOf, type LockedDefinition, lockOf } from './evolution.ts';
import type { Serverless } from './osls.ts';

/**
 * Compares the definition with its lock before anything is packaged, and adds to the lock what is new.
 *
 * @throws Error naming every change that a deployment could only make by replacing what holds data.
 */
export async function checkLock(serverless: Serverless, say: (line: string) => void): Promise<void> {
  const { stackTags = {} } = serverless.service.provider;
  const name = serverless.service.custom.featureGroup;
  const file = join(serverless.serviceDir, lockFile(name));
  const now = lockOf(await loadFeatureGroup(name), stackTags);
  const locked = readLock(file);
  const { added, refused } = evolutionOf(locked ?? now, now);
  if (refused.length > 0) {
    throw new serverless.classes.Error(
      `The definition ${name} has changes that no deployment can make without losing data (${lockFile(name)} says what is deployed):\n${refused.map((it) => `- ${it}`).join('\n')}\nA table or group that is really another gets a definition of its own. If the lock was never deployed, take its former version back from version control.`,
    );
  }
  if (locked && added.length === 0) return;
  writeFileSync(file, `${JSON.stringify(now, undefined, 2)}\n`);
  const what = locked ? `has new features (${added.join(', ')})` : 'is new';
  say(`The definition ${name} ${what}: ${lockFile(name)} was written; commit it.`);
}

function readLock(file: string): LockedDefinition | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
