import { createRequire } from 'node:module';
import { AwsError } from '../protocol/aws-error.ts';
import { ACCOUNT, REGION } from './back-end.ts';

/** Operations dynalite 4 carries out. */
const OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'ListTagsOfResource',
  'UpdateItem',
  'UpdateTable',
] as const;

export type DynaliteOperation = (typeof OPERATIONS)[number];

/** dynalite's store and operations, called in process: no socket, no second JSON round trip. */
export interface Dynalite {
  readonly operations: readonly string[];
  /** @throws AwsError as DynamoDB answers it. */
  run<T = Record<string, unknown>>(operation: DynaliteOperation, input: object): Promise<T>;
  /** Top-level parameters dynalite knows of an operation; it drops others without a word. */
  parametersOf(operation: string): readonly string[];
  close(): Promise<void>;
}

type Callback = (error: unknown, result?: object) => void;
interface Store {
  db: {
    open(): Promise<void>;
    close(done: (error?: unknown) => void): void;
    get(key: string, done: (error: unknown, value?: unknown) => void): void;
    getSync(key: string): unknown;
  };
  tableDb: { awsAccountId: string; awsRegion: string };
}
type Action = (store: Store, input: object, done: Callback) => void;
interface Validation {
  types: Record<string, unknown>;
  custom?: unknown;
}
interface Validations {
  checkTypes(input: object, types: Validation['types']): object;
  checkValidations(input: object, types: Validation['types'], custom: unknown, store: Store): void;
}

const require = createRequire(import.meta.url);

/**
 * Opens dynalite. With `path` its LevelDB is kept there; without, in memory.
 *
 * @throws Error when another process has the folder open.
 */
export async function openDynalite(path?: string): Promise<Dynalite> {
  const { create } = require('dynalite/db') as { create: (options: object) => Store };
  const { checkTypes, checkValidations } = require('dynalite/validations') as Validations;
  const parts = new Map(
    OPERATIONS.map((operation) => {
      const file = operation[0]?.toLowerCase() + operation.slice(1);
      const action = require(`dynalite/actions/${file}`) as Action;
      return [operation as string, { action, validation: require(`dynalite/validations/${file}`) as Validation }];
    }),
  );
  const store = create({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await store.db.open().catch((error) => {
    throw new Error(
      `DynamoDB's folder ${path} cannot be opened: another local cloud may be using it; stop that one or choose another folder with --dir.`,
      { cause: error },
    );
  });
  readSynchronously(store.db);
  store.tableDb.awsAccountId = ACCOUNT;
  store.tableDb.awsRegion = REGION;

  return {
    operations: OPERATIONS,
    run<T>(operation: DynaliteOperation, input: object) {
      const part = parts.get(operation);
      if (!part) throw new Error(`dynalite has no ${operation}`);
      const { action, validation } = part;
      return new Promise<T>((resolve, reject) => {
        // dynalite deletes what it does not know from the input itself, which is the caller's.
        const checked = checkTypes(structuredClone(input), validation.types);
        checkValidations(checked, validation.types, validation.custom, store);
        action(store, checked, (error, result) => (error ? reject(error) : resolve(result as T)));
      }).catch((error) => {
        throw asAwsError(error);
      });
    },
    parametersOf: (operation) => [
      ...Object.keys(parts.get(operation)?.validation.types ?? {}),
      // dynalite does not know it of Scan, and every read of it is consistent.
      ...(operation === 'Scan' ? ['ConsistentRead'] : []),
    ],
    close: () =>
      new Promise((resolve, reject) => store.db.close((error) => (error ? reject(error) : resolve(undefined)))),
  };
}

/**
 * Reads of LevelDB are of memory or of the page cache: microseconds. dynalite makes each a trip through the thread pool
 * and the event loop, and one write takes six of them, which in a busy process is most of its time.
 */
function readSynchronously(db: Store['db']): void {
  const { get } = db;
  db.get = (key, done) => {
    let value: unknown;
    try {
      value = db.getSync(key);
    } catch {
      // Not open yet, or closed: dynalite's own way waits, or says so.
      get.call(db, key, done);
      return;
    }
    queueMicrotask(() => done(null, value));
  };
}

function asAwsError(error: unknown): unknown {
  const { statusCode, body } = error as { statusCode?: number; body?: Record<string, unknown> };
  if (!statusCode || !body) return error;
  const { __type, message, Message, ...fields } = body;
  return new AwsError(String(__type).split('#').pop() ?? '', String(message ?? Message ?? ''), statusCode, fields);
}
