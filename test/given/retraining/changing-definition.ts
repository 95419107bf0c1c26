import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { ORDERS } from './orders-cloud.ts';

/** The definition of the table of orders in a file of its own, which can be changed. */
export async function changingDefinition() {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-definition-'));
  const path = join(folder, 'orders.ts');
  const versions: FeatureGroup[] = [];

  /** Writes a version of the definition, where the functions load it from. */
  async function change(edit: (text: string) => string): Promise<FeatureGroup> {
    const text = await readFile(ORDERS, 'utf8');
    const imports = text.replace(
      "'../../../shared/feature-groups/define.ts'",
      `'${resolve('shared/feature-groups/define.ts')}'`,
    );
    const source = edit(imports);
    await writeFile(path, source);
    const copy = join(folder, `version-${versions.length + 1}.ts`);
    await writeFile(copy, source);
    const { default: group } = (await import(copy)) as { default: FeatureGroup };
    versions.push(group);
    return group;
  }

  await change((text) => text);
  return { path, versions, change, close: () => rm(folder, { recursive: true, force: true }) };
}

/** A change that makes another schema: an ordinal category becomes several columns. */
export const otherEncoding = (text: string): string =>
  text.replace('imputeWith: 1', 'imputeWith: 9').replace("{ encoding: 'ordinal' }", '{}');
