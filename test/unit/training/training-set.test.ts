import { describe, expect, test } from 'vitest';
import { categorical, defineFeatureGroup, integral } from '../../../shared/feature-groups/define.ts';
import { trainingRowsSql, unloadQuery } from '../../../shared/training/training-set.ts';

const SOURCE = { database: 'db', snapshot: 'epoch-3' };

const group = defineFeatureGroup({
  name: 'odd',
  recordIdentifier: 'id',
  features: {
    'order-by': integral({ optional: true, imputeWith: 0.5 }),
    kind: categorical(["it's", 'a"b']),
    grade: categorical(['low', 'high'], { encoding: 'ordinal' }),
  },
  label: { name: 'Label' },
});

describe('the training set', () => {
  test('is unloaded as plain CSV into the prefix given', () => {
    const sql = unloadQuery(group, SOURCE, "s3://data/it's/");
    expect(sql).toMatch(/^UNLOAD \(\nSELECT/);
    expect(sql).toContain("TO 's3://data/it''s/'");
    expect(sql).toContain(
      "WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE', partitioned_by = ARRAY['part'])",
    );
  });

  test('has the label first, then every training column as a number, and last the part, by the identifier alone', () => {
    const columns = trainingRowsSql(group, SOURCE).split('\nFROM')[0]?.split('\n').slice(1);
    expect(columns).toEqual([
      '  CAST("label" AS INTEGER) AS c0,',
      `  COALESCE(CAST("order-by" AS DOUBLE), CAST('0.5' AS DOUBLE)) AS c1,`,
      '  CASE WHEN "order-by" IS NULL THEN 1 ELSE 0 END AS c2,',
      `  CASE WHEN "kind" = 'it''s' THEN 1 ELSE 0 END AS c3,`,
      `  CASE WHEN "kind" = 'a"b' THEN 1 ELSE 0 END AS c4,`,
      `  CASE "grade" WHEN 'low' THEN 1 WHEN 'high' THEN 2 ELSE 0 END AS c5,`,
      `  CASE WHEN from_base(substr(to_hex(md5(to_utf8("trainable"."id"))), 1, 4), 16) % 100 >= 20 THEN 'train' WHEN from_base(substr(to_hex(md5(to_utf8("trainable"."id"))), 1, 4), 16) % 100 < 10 THEN 'judge' ELSE 'validation' END AS part`,
    ]);
  });
});
