import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { GlueCatalog, viewInput } from '../../../../infra/local/athena/catalog.ts';
import { glue } from '../../../../infra/local/athena/glue.ts';
import { KeptTables } from '../../../../infra/local/athena/tables/kept-tables.ts';
import type { ObjectStore } from '../../../../infra/local/storage/object-store.ts';

const view = (sql: string) => viewInput('latest', sql, [{ Name: 'id', Type: 'varchar' }], 'shop');

/** A catalog that is opened again and again over one state. */
function catalogs() {
  const db = new DatabaseSync(':memory:');
  return (template: string) => {
    const catalog = new GlueCatalog(new KeptTables(db));
    catalog.deployTable('shop', view(template));
    const { operations } = glue({ catalog, objects: {} as ObjectStore });
    return {
      update: (input: object) => operations?.UpdateTable?.(input as never, undefined as never),
      sql: () => catalog.views.get('shop.latest')?.sql,
    };
  };
}

describe('UpdateTable of Glue', () => {
  test('swaps a view, which stays when the stack is deployed again', () => {
    const open = catalogs();
    const first = open('SELECT 1 AS id');
    first.update({ DatabaseName: 'shop', TableInput: view('SELECT 2 AS id'), SkipArchive: true });
    expect(first.sql()).toBe('SELECT 2 AS id');
    expect(open('SELECT 1 AS id').sql()).toBe('SELECT 2 AS id');
  });

  test('gives way to a template that has changed, now and after the next deployment', () => {
    const open = catalogs();
    open('SELECT 1 AS id').update({ DatabaseName: 'shop', TableInput: view('SELECT 2 AS id') });
    expect(open('SELECT 3 AS id').sql()).toBe('SELECT 3 AS id');
    expect(open('SELECT 3 AS id').sql()).toBe('SELECT 3 AS id');
  });

  test('refuses a table that is not there, and a text longer than Glue takes', () => {
    const { update } = catalogs()('SELECT 1 AS id');
    const other = { ...view('SELECT 1 AS id'), Name: 'other' };
    expect(() => update({ DatabaseName: 'shop', TableInput: other })).toThrow('Table other not found.');
    const long = view(`SELECT '${'x'.repeat(400_000)}' AS id`);
    expect(() => update({ DatabaseName: 'shop', TableInput: long })).toThrow('409600');
  });
});
