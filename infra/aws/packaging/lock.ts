import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { untrainable } from '../../../shared/training/trainable.ts';
import { lockFile } from '../definitions/definitions.ts';
import { evolutionOf, type LockedDefinition, lockOf } from './evolution.ts';
import type { Serverless } from './osls.ts';

/**
 * Compares the definition with its lock before anything is packaged. Writes nothing: what is only tried is not deployed.
 *
 * @throws Error naming every change that a deployment could only make by replacing what holds data, and why no model can be
 *   trained, if none can.
 */
export async function checkLock(serverless: Serverless, say: (line: string) => void): Promise<void> {
  const { name, group, file, stackTags } = await definitionOf(serverless);
  const problems = untrainable(group);
  if (problems.length > 0) {
    throw new serverless.classes.Error(
      `No model can ever be trained by the definition ${name}:\n${problems.map((it) => `- ${it}`).join('\n')}`,
    );
  }
  const now = lockOf(group, stackTags);
  const locked = readLock(file);
  if (!locked) {
    say(`The definition ${name} is new: its deployment writes ${lockFile(name)}.`);
    return;
  }
  const { added, refused, retraining } = evolutionOf(locked, now);
  if (refused.length > 0) {
    throw new serverless.classes.Error(
      `The definition ${name} has changes that no deployment can make without losing data (${lockFile(name)} says what is deployed):\n${refused.map((it) => `- ${it}`).join('\n')}\nA table or group that is really another gets a definition of its own. If nothing is deployed yet, delete the lock.`,
    );
  }
  if (retraining) say(retraining);
  if (added.length > 0) {
    say(
      `The definition ${name} has new features (${added.join(', ')}): its deployment adds them to ${lockFile(name)}.`,
    );
  }
}

/** Remembers the definition that has just been deployed. Idempotent: the same definition is the same file. */
export async function rememberDeployed(serverless: Serverless, say: (line: string) => void): Promise<void> {
  const { name, group, file, stackTags } = await definitionOf(serverless);
  if (writeLock(file, lockOf(group, stackTags))) say(`${lockFile(name)} says what is deployed now: commit it.`);
}

/**
 * Writes the lock of a definition as it is, for where another machine deploys it, as a pipeline does. The stack's tags
 * stay what the lock says.
 *
 * @param folder the project's.
 * @param name of the definition's file.
 * @returns whether the lock was another before.
 * @throws Error naming every change that a deployment could only make by replacing what holds data.
 */
export function acceptDefinition(folder: string, name: string, group: FeatureGroup): boolean {
  const file = join(folder, lockFile(name));
  const locked = readLock(file);
  const now = lockOf(group, locked?.stackTags ?? {});
  const { refused } = evolutionOf(locked ?? now, now);
  if (refused.length > 0) {
    throw new Error(
      `The definition ${name} has changes that no deployment can make without losing data: ${refused.join('; ')}. If nothing is deployed yet, delete ${lockFile(name)}.`,
    );
  }
  return writeLock(file, now);
}

async function definitionOf({ service, serviceDir }: Serverless) {
  const name = service.custom.featureGroup;
  const group = await loadFeatureGroup(name);
  return { name, group, file: join(serviceDir, lockFile(name)), stackTags: service.provider.stackTags ?? {} };
}

/** @returns whether the file was another before. */
function writeLock(file: string, lock: LockedDefinition): boolean {
  if (JSON.stringify(readLock(file)) === JSON.stringify(lock)) return false;
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
  return true;
}

function readLock(file: string): LockedDefinition | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
