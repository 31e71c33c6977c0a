/** The code blocks of a Markdown page and how tests run them. */

/** One fenced block. */
export interface Fence {
  /** Path of the page. */
  readonly page: string;
  /** Line of the opening fence, counted from 1. */
  readonly line: number;
  /** First word of the info string, such as `js`; empty if there is none. */
  readonly language: string;
  /** Name of the program or folder of the block; null for a standalone block. */
  readonly group: string | null;
  /** Path of the file within its group's folder; null if the block is not a file. */
  readonly path: string | null;
  /** Remaining words of the info string. */
  readonly words: readonly string[];
  readonly code: string;
}

const OPENING = /^( *)(`{3,}|~{3,})(.*)$/;

/**
 * Reads the fences of a page.
 *
 * Words after the language: `#name` is the program or folder of the block; `[path]` is the block's file name, which the
 * site shows as title; `given:name` is an entry of `GIVEN` that the test provides; `repository` runs commands at the root of the
 * repository; `exit:status` is their exit status; `golden-bundle` marks the manifest of a golden bundle.
 *
 * @param page path of the page, for messages
 * @throws Error for an unclosed fence
 */
export function readFences(markdown: string, page: string): Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const [, indent, marks, info] = OPENING.exec(lines[at]!) ?? [];
    if (indent === undefined || marks === undefined || info === undefined) continue;
    const isEnd = (line: string): boolean => line.trim().startsWith(marks) && /^[`~]+$/.test(line.trim());
    const length = lines.slice(at + 1).findIndex(isEnd);
    if (length < 0) throw new Error(`${page}:${at + 1} opens a code block that is never closed`);
    const code = lines.slice(at + 1, at + 1 + length).map((line) => line.slice(Math.min(indent.length, line.search(/\S|$/))));
    fences.push({ page, line: at + 1, ...readInfo(info), code: code.join('\n') });
    at += length + 1;
  }
  return fences;
}

function readInfo(info: string): Pick<Fence, 'language' | 'group' | 'path' | 'words'> {
  // Ignore highlighted lines of the site, such as `{1,3-5}`.
  const [language = '', ...words] = info.trim().replace(/\{[\d,-]*\}/g, ' ').split(/\s+/);
  const group = words.find((word) => word.startsWith('#'))?.slice(1) ?? null;
  const path = words.find((word) => /^\[.+\]$/.test(word))?.slice(1, -1) ?? null;
  return { language, group, path, words: words.filter((word) => !word.startsWith('#') && !/^\[.+\]$/.test(word)) };
}

/** The value of `key:value` among a fence's words; null if there is none. */
export const wordOf = ({ words }: Fence, key: string): string | null =>
  words.find((word) => word.startsWith(`${key}:`))?.slice(key.length + 1) ?? null;

/**
 * How a test runs a group of fences:
 *
 * - `program`: JavaScript or TypeScript as one module, in a page that can import the built packages by name;
 * - `page`: HTML, served with the group's style and headers, opened and used;
 * - `folder`: commands and files, in an empty folder;
 * - `repository`: commands that run at the root of the repository;
 * - `bundle`: the manifest of a golden bundle, which is parsed.
 */
export type RunnerName = 'program' | 'page' | 'folder' | 'repository' | 'bundle';

/** Fences that a test runs together. */
export interface Run {
  readonly name: RunnerName;
  /** In page order. Outputs follow the code that prints them. */
  readonly fences: readonly Fence[];
}

const PROGRAM_LANGUAGES = ['js', 'ts'];
/** Languages of output blocks, which show the output of the preceding program or command. */
const OUTPUT_LANGUAGES = ['text', 'json'];

/**
 * Groups the fences of one page into runs. An output without a group belongs to the preceding fence.
 *
 * @throws Error for a fence without a runner
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
 * Whether the output matches the page. `…` in the page matches any text within a line, and a line with only `…` matches
 * any number of lines. Trailing white space is ignored.
 */
export function prints(said: string, printed: string): boolean {
  const pattern = said
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '[^]*?' : line.trimEnd().split('…').map(escaped).join('[^\\n]*?')))
    .join('\n')
    // Any number of lines includes zero.
    .replaceAll('\n[^]*?\n', '\n(?:[^]*?\n)?');
  const trimmed = printed.trim().split('\n').map((line) => line.trimEnd());
  return new RegExp(`^${pattern}$`).test(trimmed.join('\n'));
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
