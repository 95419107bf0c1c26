import { xmlDocument } from '../protocol/xml.ts';

/** A document in S3's namespace. */
export function s3Document(name: string, children: readonly string[]): string {
  return xmlDocument(name, 'http://s3.amazonaws.com/doc/2006-03-01/', children);
}
