/**
 * Makes a value at the first call and answers the same one ever after, such as what one execution environment of Lambda
 * keeps between invocations. A failure is not kept: the next call makes it again.
 */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
