/** An argument as it is, or what `-` stands for: all of the standard input. */
export async function argumentOrInput(argument: string): Promise<string> {
  return argument === '-' ? Buffer.concat(await process.stdin.toArray()).toString() : argument;
}
