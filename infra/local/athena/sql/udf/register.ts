import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBScalarFunction,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  LIST,
  listValue,
  VARCHAR,
} from '@duckdb/node-api';
import { SqlError } from '../sql-error.ts';
import { DATE_UDFS } from './dates.ts';
import { JSON_UDFS } from './documents.ts';
import { NUMBER_UDFS } from './numbers.ts';
import { TEXT_UDFS } from './texts.ts';
import type { Udf } from './udf.ts';

const TYPES: Readonly<Record<string, DuckDBType>> = {
  varchar: VARCHAR,
  bigint: BIGINT,
  integer: INTEGER,
  double: DOUBLE,
  real: FLOAT,
  boolean: BOOLEAN,
  'varchar[]': LIST(VARCHAR),
};

/** Makes Trino's functions that DuckDB lacks, or has with another result, known to DuckDB. */
export function registerUdfs(connection: DuckDBConnection): void {
  for (const [signature, run] of Object.entries({ ...NUMBER_UDFS, ...TEXT_UDFS, ...DATE_UDFS, ...JSON_UDFS })) {
    connection.registerScalarFunction(scalarFunction(signature, run));
  }
}

/** @param signature `name(varchar, bigint) -> double` */
function scalarFunction(signature: string, run: Udf): DuckDBScalarFunction {
  const [, name = '', parameters = '', result = ''] = /^(\w+)\((.*)\) -> (.+)$/.exec(signature) ?? [];
  const types = parameters.split(', ').map((it) => TYPES[it] ?? VARCHAR);
  return DuckDBScalarFunction.create({
    name,
    parameterTypes: types,
    returnType: TYPES[result] ?? VARCHAR,
    mainFunction: (info, input, output) => {
      const columns = types.map((_, index) => input.getColumnVector(index));
      const count = input.rowCount;
      try {
        for (let row = 0; row < count; row++) {
          const args = columns.map((column) => column.getItem(row));
          // Null in, null out: Trino's functions are so unless they say otherwise.
          const value = args.includes(null) ? null : run(...(args as never[]));
          output.setItem(row, Array.isArray(value) ? listValue(value) : ((value ?? null) as DuckDBValue));
        }
        output.flush();
      } catch (error) {
        const { message } = error as Error;
        info.setError(error instanceof SqlError ? `${error.code}: ${message}` : message);
      }
    },
  });
}
