import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { featureGroup } from '../../../infra/aws/data/feature-group.ts';
import { lockFile } from '../../../infra/aws/definitions/definitions.ts';
import { evolutionOf, lockOf } from '../../../infra/aws/packaging/evolution.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import { defineFeatureGroup, fractional, integral, string } from '../../../shared/feature-groups/define.ts';

const deployed: FeatureGroupInput = {
  name: 'parcels',
  recordIdentifier: 'parcel_id',
  features: { weight: fractional(), rooms: integral(), note: string({ optional: true }) },
  label: { name: 'lost' },
};
const locked = lockOf(defineFeatureGroup(deployed), {});

const evolve = (change: Partial<FeatureGroupInput>, stackTags: Record<string, string> = {}) =>
  evolutionOf(locked, lockOf(defineFeatureGroup({ ...deployed, ...change }), stackTags));

describe('a definition that is deployed', () => {
  it('may stay as it is', () => {
    expect(evolve({})).toEqual({ added: [], refused: [] });
  });

  it('may gain a feature, which is an update of the feature group: the others stay first and in order', () => {
    const grown = { features: { ...deployed.features, speed: fractional({ optional: true, since: 2 }) } };
    expect(evolve(grown)).toMatchObject({ added: ['speed Fractional'], refused: [] });
    const definitions = (input: FeatureGroupInput) =>
      featureGroup(defineFeatureGroup(input)).FeatureGroup?.Properties.FeatureDefinitions as object[];
    const before = definitions(deployed);
    const after = definitions({ ...deployed, ...grown });
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length)).toEqual([{ FeatureName: 'speed', FeatureType: 'Fractional' }]);
  });

  it('may change what Feature Store does not see: bounds, encoding, whether a feature trains', () => {
    const features = { ...deployed.features, rooms: integral({ min: 1, training: false, optional: true }) };
    expect(evolve({ features })).toMatchObject({ added: [], refused: [] });
  });

  it('says what a change of the schema will do, and nothing of other changes', () => {
    const bounded = { ...deployed.features, rooms: integral({ min: 1 }) };
    expect(evolve({ features: bounded }).retraining).toBeUndefined();
    const narrower = { ...deployed.features, rooms: integral({ training: false, optional: true }) };
    expect(evolve({ features: narrower }).retraining).toMatch(
      /^The schema of training changes from [0-9a-f]{16} to [0-9a-f]{16}: a training starts within five minutes/,
    );
    const { schemaHash: _, ...ofVersion010 } = locked;
    expect(evolutionOf(ofVersion010, locked).retraining).toBeUndefined();
  });

  it.each<[string, Partial<FeatureGroupInput>, string]>([
    ['the group', { name: 'packets', table: 'parcels' }, 'the name of the feature group was parcels and is packets'],
    ['the table', { table: 'packets' }, 'the table was parcels and is packets'],
    [
      'the identifier',
      { recordIdentifier: { name: 'id', attributes: ['parcel_id'] } },
      'the record identifier was parcel_id and is id',
    ],
    ['a key', { recordIdentifier: { name: 'parcel_id', attributes: ['parcel_id', 'sk'] } }, "the table's key was"],
    [
      "a key's type",
      { recordIdentifier: { name: 'parcel_id', attributes: ['parcel_id'], types: ['N'] } },
      "the table's key was",
    ],
    ['the event time', { eventTime: { name: 'at' } }, 'the event time was event_time and is at'],
    ['a type', { features: { ...deployed.features, weight: integral() } }, 'weight was Fractional and is Integral'],
    ['a removal', { features: { weight: fractional(), note: string() } }, 'rooms was removed or renamed'],
    ['the label', { label: { name: 'found' } }, 'lost was removed or renamed'],
    [
      'a feature in between',
      { features: { speed: fractional(), ...deployed.features } },
      'weight was column 1 of the change log and is column 2',
    ],
  ])('is refused another %s, by name', (_, change, refusal) => {
    expect(evolve(change).refused).toEqual(expect.arrayContaining([expect.stringContaining(refusal)]));
  });

  it('is refused other tags of the stack, as they are tags of the feature group', () => {
    expect(evolve({}, { team: 'a' }).refused).toEqual([expect.stringContaining('the tags of the stack was {}')]);
  });
});

const folder = new URL('../../../shared/feature-groups/', import.meta.url);
const definitions = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && !/^(define|import-definition|registry)\.ts$/.test(file))
  .map((file) => file.slice(0, -'.ts'.length));

describe('the lock of', () => {
  it.each(definitions)('%s is what the definition is: `npx serverless package` writes it', async (name) => {
    expect(existsSync(lockFile(name))).toBe(true);
    expect(JSON.parse(readFileSync(lockFile(name), 'utf8'))).toEqual(lockOf(await loadFeatureGroup(name), {}));
  });
});
