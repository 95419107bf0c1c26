import { ObjectStore, type PutOptions, type StoredObject } from '../storage/object-store.ts';
import { bucketArn, objectArn } from './arns.ts';
import type { Permission } from './policy.ts';

/** The object store as a role sees it: for the services that read and write objects on a role's behalf. */
export class GuardedObjects extends ObjectStore {
  readonly #inner: ObjectStore;
  readonly #require: (permission: Permission) => void;

  /** @param require throws what S3 answers a role that lacks the permission. */
  constructor(inner: ObjectStore, require: (permission: Permission) => void) {
    super(inner.root);
    this.#inner = inner;
    this.#require = require;
  }

  override async list(bucket: string, prefix?: string): Promise<StoredObject[]> {
    this.#require({ action: 's3:ListBucket', resource: bucketArn(bucket) });
    return this.#inner.list(bucket, prefix);
  }

  override async get(bucket: string, key: string): Promise<Buffer> {
    this.#require({ action: 's3:GetObject', resource: objectArn(bucket, key) });
    return this.#inner.get(bucket, key);
  }

  override async put(bucket: string, key: string, body: string | Uint8Array, options?: PutOptions) {
    this.#require({ action: 's3:PutObject', resource: objectArn(bucket, key) });
    return this.#inner.put(bucket, key, body, options);
  }

  /** A file that is to be read. */
  override path(bucket: string, key: string): string {
    this.#require({ action: 's3:GetObject', resource: objectArn(bucket, key) });
    return this.#inner.path(bucket, key);
  }
}
