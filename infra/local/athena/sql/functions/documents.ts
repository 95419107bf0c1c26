import type { Signatures } from '../calls/signatures.ts';

/** Trino's functions of JSON, which is kept as its canonical text. */
export const DOCUMENT_FUNCTIONS: Signatures = {
  'json_parse(varchar) -> json': 'trino_json_parse($1)',
  'json_format(json) -> varchar': '$1',
  'json_extract(json,varchar) -> json': 'trino_json_extract($1, $2)',
  'json_extract(varchar,varchar) -> json': 'trino_json_extract($1, $2)',
  'json_extract_scalar(json,varchar) -> varchar': 'trino_json_extract_scalar($1, $2)',
  'json_extract_scalar(varchar(x),varchar) -> varchar(x)': 'trino_json_extract_scalar($1, $2)',
  'json_array_length(json) -> bigint': 'trino_json_array_length($1)',
  'json_array_length(varchar) -> bigint': 'trino_json_array_length($1)',
  'json_size(json,varchar) -> bigint': 'trino_json_size($1, $2)',
  'json_size(varchar,varchar) -> bigint': 'trino_json_size($1, $2)',
  'is_json_scalar(json) -> boolean': 'trino_is_json_scalar($1)',
  'is_json_scalar(varchar) -> boolean': 'trino_is_json_scalar($1)',
};
