import { invalidArgument, type Udf } from './udf.ts';

/** Texts by their code points, as Trino has them, and URLs. */
export const TEXT_UDFS: Readonly<Record<string, Udf>> = {
  'trino_lower(varchar) -> varchar': (text: string) => folded(text, (it) => (it === 'İ' ? 'i' : it.toLowerCase())),
  'trino_upper(varchar) -> varchar': (text: string) => folded(text, (it) => it.toUpperCase()),
  'trino_reverse(varchar) -> varchar': (text: string) => [...text].reverse().join(''),
  'trino_replace(varchar, varchar, varchar) -> varchar': (text: string, search: string, by: string) =>
    // An empty text is found before every character and at the end.
    search === '' ? `${by}${[...text].map((it) => `${it}${by}`).join('')}` : text.replaceAll(search, () => by),
  'trino_levenshtein(varchar, varchar) -> bigint': levenshtein,
  'trino_hamming(varchar, varchar) -> bigint': (a: string, b: string) => {
    const other = [...b];
    return BigInt([...a].filter((it, index) => it !== other[index]).length);
  },
  'trino_url_part(varchar, varchar) -> varchar': (url: string, part: string) => urlOf(url)?.[part] ?? null,
  'trino_url_parameter(varchar, varchar) -> varchar': (url: string, name: string) => {
    const query = urlOf(url)?.query;
    if (query === undefined || query === null) return null;
    for (const parameter of query.split('&')) {
      const [key, ...value] = parameter.split('=');
      if (key === name) return value.join('=');
    }
    return null;
  },
  'trino_url_encode(varchar) -> varchar': (text: string) =>
    encodeURIComponent(text)
      .replace(/[!'()~]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%20', '+'),
  'trino_url_decode(varchar) -> varchar': (text: string) => {
    try {
      return decodeURIComponent(text.replaceAll('+', '%20'));
    } catch {
      throw invalidArgument(`Illegal hex characters in escape (%) pattern of ${text.slice(0, 60)}`);
    }
  },
};

/** Each code point by itself. One that would become several stays as it is. */
function folded(text: string, fold: (character: string) => string): string {
  return Array.from(text, (it) => {
    const other = fold(it);
    return [...other].length === 1 ? other : it;
  }).join('');
}

function levenshtein(a: string, b: string): bigint {
  const [left, right] = [[...a], [...b]];
  if (left.length * right.length > 1_000_000)
    throw invalidArgument('The combined inputs for Levenshtein distance are too large');
  let row = right.map((_, index) => index + 1);
  for (const [index, character] of left.entries()) {
    let diagonal = index;
    let before = index + 1;
    row = row.map((above, column) => {
      const cost = Math.min(above + 1, before + 1, diagonal + (right[column] === character ? 0 : 1));
      diagonal = above;
      before = cost;
      return cost;
    });
  }
  return BigInt(row.at(-1) ?? left.length);
}

/** Parts of a URI of RFC 3986, which java.net.URI takes apart likewise. Null for what is none. */
function urlOf(url: string): Readonly<Record<string, string | null>> | undefined {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(url);
  if (!match || /[\s"<>\\^`{|}]/.test(url)) return undefined;
  const [, protocol = '', authority = '', path = '', query = null, fragment = null] = match;
  const [, host = '', port = null] = /^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  return {
    protocol,
    host,
    port,
    path: decoded(path),
    query: query === null ? '' : decoded(query),
    fragment: fragment === null ? '' : decoded(fragment),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
