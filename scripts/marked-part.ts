/** A page around and between its marks `<!-- name -->` and `<!-- /name -->`, which stay outside. Throws when it has none. */
export function markedPart(
  text: string,
  { name, path }: { name: string; path: string },
): { before: string; part: string; after: string } {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const begin = text.indexOf(opening) + opening.length;
  const end = text.indexOf(closing, begin);
  if (begin < opening.length || end === -1) throw new Error(`${path} has no ${opening} ... ${closing}`);
  return { before: text.slice(0, begin), part: text.slice(begin, end), after: text.slice(end) };
}
