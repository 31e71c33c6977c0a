/** Depth of the containers around a position: the keys of an object, or null for a list. */
type Container = Set<string> | null;

const QUOTE = '"';
const BACKSLASH = '\\';

/**
 * The first key that an object in the JSON text repeats; null if there is none. `JSON.parse` keeps the last of equal keys
 * and reports nothing.
 *
 * @param text valid JSON
 */
export function firstDuplicateKey(text: string): string | null {
  const around: Container[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '{') around.push(new Set());
    else if (character === '[') around.push(null);
    else if (character === '}' || character === ']') around.pop();
    else if (character === QUOTE) {
      const end = endOfString(text, at);
      if (isKey(text, end)) {
        const key = JSON.parse(text.slice(at, end)) as string;
        const keys = around.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      at = end - 1;
    }
  }
  return null;
}

/** Position after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** Whether a colon follows. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (' \t\n\r'.includes(text[at] ?? '.')) at++;
  return text[at] === ':';
}
