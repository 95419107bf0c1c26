const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** An element with text that is escaped. */
export function textElement(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** An element with other elements inside. */
export function element(name: string, children: readonly string[], attributes = ''): string {
  return `<${name}${attributes}>${children.join('')}</${name}>`;
}

/** A document in S3's namespace. */
export function s3Document(name: string, children: readonly string[]): string {
  const root = element(name, children, ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"');
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}`;
}

/** Texts of all elements of a name, in order. Enough for the flat documents that requests carry. */
export function textsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`, 'g'))].map((match) =>
    unescapeXml(match[1] ?? ''),
  );
}

function escapeXml(text: string): string {
  // Line breaks are escaped too: a parser would fold a carriage return into a line feed.
  return text.replace(/[&<>"\p{Cc}]/gu, (character) => {
    const entity = Object.keys(ENTITIES).find((name) => ENTITIES[name] === character);
    return entity ? `&${entity};` : `&#${character.charCodeAt(0)};`;
  });
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (all, hex?: string, decimal?: string, name?: string) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name ?? ''] ?? all;
  });
}
