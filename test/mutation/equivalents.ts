/** Mutants that no test can tell from the code, by their names, each with the reason. They count nowhere. */
export const EQUIVALENTS: Readonly<Record<string, string>> = {};
