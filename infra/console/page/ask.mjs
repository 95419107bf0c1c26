/**
 * Asks the server. A question is the body of a POST request, so that no value of a record is in an address.
 *
 * @throws Error in the server's words.
 */
export async function ask(path, question = {}) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  throw new Error(answer.error ?? `The console answered ${response.status}.`);
}
