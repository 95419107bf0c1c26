import { gunzipSync, gzipSync } from 'node:zlib';
import type { LearnedModel } from './prediction-text.ts';

/** The file inside model.tar.gz. */
const MODEL_FILE = 'model.json';

/** Header and padding unit of the tar format (POSIX.1-1988, ustar), in bytes. */
const BLOCK = 512;

/** A model's file, as the local linear-learner writes and its endpoints read it. */
interface ModelFile {
  readonly algorithm: 'tributary-local-linear-learner';
  readonly version: 1;
  readonly model: LearnedModel;
}

/** Packs a model as SageMaker does: a gzipped tar (`tar xzf` opens it). The same model gives the same bytes. */
export function packModel(model: LearnedModel): Uint8Array {
  const file: ModelFile = { algorithm: 'tributary-local-linear-learner', version: 1, model };
  const content = Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  // Two empty blocks end an archive.
  return gzipSync(Buffer.concat([header(MODEL_FILE, content.length), content, padding, Buffer.alloc(2 * BLOCK)]));
}

/** Unpacks a model of {@link packModel}. @throws Error saying what the artifact is instead. */
export function unpackModel(artifact: Uint8Array): LearnedModel {
  const archive = gunzipSync(artifact);
  const name = archive.toString('utf8', 0, MODEL_FILE.length);
  if (name !== MODEL_FILE) throw new Error(`model.tar.gz holds ${JSON.stringify(name)}, not ${MODEL_FILE}`);
  const size = Number.parseInt(archive.toString('ascii', 124, 135), 8);
  const file: Partial<ModelFile> = JSON.parse(archive.toString('utf8', BLOCK, BLOCK + size));
  if (file.algorithm !== 'tributary-local-linear-learner' || file.version !== 1 || !file.model) {
    throw new Error('the model was not trained by the local linear-learner');
  }
  return file.model;
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(name, 0);
  block.write(octal(0o644, 7), 100); // mode
  block.write(octal(0, 7), 108); // owner
  block.write(octal(0, 7), 116); // group
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136); // modification time: fixed, for equal bytes
  block.write(' '.repeat(8), 148); // the checksum counts itself as spaces
  block.write('0', 156); // a regular file
  block.write('ustar\x0000', 257);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  return block;
}
