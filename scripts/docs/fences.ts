/** The code blocks of a Markdown page, and what tests do with each. */

/** One fenced block. */
export interface Fence {
  /** Path of the page. */
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** First word of the info string, such as `js`; empty where there is none. */
  readonly language: string;
  /** Name of the program or folder that the block is a part of; null where it stands alone. */
  readonly group: string | null;
  /** Path of the file that the block is, in the folder of its group; null where it is none. */
  readonly path: string | null;
  /** The other words of the info string. */
  readonly words: readonly string[];
  readonly code: string;
}

const OPENING = /^( *)(`{3,}|~{3,})(.*)$/;

/**
 * Reads the fences of a page.
 *
 * The words after the language mean: `#name`, the program or folder that the block belongs to; `[path]`, which the site
 * shows as the block's title, the file that it is; `given:name`, what a test gives the program under that name;
 * `repository`, that commands are run at the root of the repository; `exit:status`, how they end; `golden-bundle`, that it is
 * the manifest of one.
 *
 * @param page its path, for messages
 * @throws Error for a fence that is not closed
 */
export function readFences(markdown: string, page: string): Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const [, indent, marks, info] = OPENING.exec(lines[at]!) ?? [];
    if (indent === undefined || marks === undefined || info === undefined) continue;
    const isEnd = (line: string): boolean => line.trim().startsWith(marks) && /^[`~]+$/.test(line.trim());
    const length = lines.slice(at + 1).findIndex(isEnd);
    if (length < 0) throw new Error(`${page}:${at + 1} opens a code block that nothing closes`);
    const code = lines.slice(at + 1, at + 1 + length).map((line) => line.slice(Math.min(indent.length, line.search(/\S|$/))));
    fences.push({ page, line: at + 1, ...readInfo(info), code: code.join('\n') });
    at += length + 1;
  }
  return fences;
}

function readInfo(info: string): Pick<Fence, 'language' | 'group' | 'path' | 'words'> {
  // The lines that the site marks, `{1,3-5}`, are of no interest here.
  const [language = '', ...words] = info.trim().replace(/\{[\d,-]*\}/g, ' ').split(/\s+/);
  const group = words.find((word) => word.startsWith('#'))?.slice(1) ?? null;
  const path = words.find((word) => /^\[.+\]$/.test(word))?.slice(1, -1) ?? null;
  return { language, group, path, words: words.filter((word) => !word.startsWith('#') && !/^\[.+\]$/.test(word)) };
}

/** The value of `key:value` among a fence's words; null where it has none. */
export const wordOf = ({ words }: Fence, key: string): string | null =>
  words.find((word) => word.startsWith(`${key}:`))?.slice(key.length + 1) ?? null;

/**
 * How a test runs what belongs together:
 *
 * - `program`: JavaScript or TypeScript as one module, in a page where the built packages are to be had by name;
 * - `page`: HTML, served with the group's style and headers, opened and used;
 * - `folder`: commands and files, in an empty folder;
 * - `repository`: commands that are run at the root of the repository;
 * - `bundle`: the manifest of a golden bundle, which is read as one.
 */
export type RunnerName = 'program' | 'page' | 'folder' | 'repository' | 'bundle';

/** What a test runs as one. */
export interface Run {
  readonly name: RunnerName;
  /** In the order of the page. Outputs stand after what prints them. */
  readonly fences: readonly Fence[];
}

const PROGRAM_LANGUAGES = ['js', 'ts'];
/** Of an output: what a program or command before it prints. */
const OUTPUT_LANGUAGES = ['text', 'json'];

/**
 * Puts the fences of one page into runs. An output without a group of its own belongs to the fence right before it.
 *
 * @throws Error for a fence that nothing runs
 */
export function runsOf(fences: readonly Fence[]): Run[] {
  const groups = new Map<string, Fence[]>();
  let previous: string | null = null;
  for (const fence of fences) {
    const isOutput = OUTPUT_LANGUAGES.includes(fence.language) && fence.path === null && fence.words.length === 0;
    const key: string = fence.group ?? (isOutput && previous !== null ? previous : `line ${fence.line}`);
    groups.set(key, [...(groups.get(key) ?? []), fence]);
    previous = key;
  }
  return Array.from(groups.values(), (group) => ({ name: runnerOf(group), fences: group }));
}

function runnerOf(group: readonly Fence[]): RunnerName {
  const [first] = group as [Fence];
  const has = (...languages: string[]): boolean => group.some(({ language }) => languages.includes(language));
  const only = (...languages: string[]): boolean => group.every(({ language }) => languages.includes(language));
  if (group.length === 1 && first.language === 'json' && first.words.includes('golden-bundle')) return 'bundle';
  if (has('sh')) return first.words.includes('repository') || first.page === 'README.md' ? 'repository' : 'folder';
  if (has('html') && only('html', 'css', 'http', 'js')) return 'page';
  if (PROGRAM_LANGUAGES.includes(first.language) && only(...PROGRAM_LANGUAGES, ...OUTPUT_LANGUAGES)) return 'program';
  throw new Error(`${first.page}:${first.line} has a block of ${first.language || 'no language'} that no test can run`);
}

/**
 * Whether something prints what a page says. `…` in the page stands for any text within a line, and a line of nothing
 * but `…` for any lines. White space at the ends of lines does not count.
 */
export function prints(said: string, printed: string): boolean {
  const pattern = said
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '[^]*?' : line.trimEnd().split('…').map(escaped).join('[^\\n]*?')))
    .join('\n')
    // Any lines are no lines, too.
    .replaceAll('\n[^]*?\n', '\n(?:[^]*?\n)?');
  const trimmed = printed.trim().split('\n').map((line) => line.trimEnd());
  return new RegExp(`^${pattern}$`).test(trimmed.join('\n'));
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
