/** Logical ids that osls gives, or that two resources must agree on. */

export const capitalized = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** Logical id that osls gives ingest's event source mapping. */
export const ingestMapping = ({ mappingName }: { readonly mappingName: string }): string =>
  `IngestEventSourceMappingDynamodb${capitalized(mappingName)}`;
