/** Compares facts in the pages with their sources: measured figures, manifests, error codes, causes, keys, options. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHORTCUTS } from '../../src/app/editor/shortcuts';
import { readPage, ROOT } from './pages';

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim());

describe('figures', () => {
  const results = new Set(lines(readPage('bench/RESULTS.md')));
  const page = readPage('docs/presets.md');

  /** Rows of tables that a page marks as measured. */
  const measured = (text: string): string[] =>
    Array.from(text.matchAll(/<!-- same as bench\/RESULTS\.md -->\s+((?:\|.*\n)+)/g), ([, table]) => lines(table!.trim())).flat();

  it('exactly match rows of bench/RESULTS.md', () => {
    const rows = measured(page);
    expect(rows.length).toBeGreaterThan(15);
    expect(rows.filter((row) => !results.has(row))).toEqual([]);
    expect(measured(page.replace('32.76 %', '31.76 %')).filter((row) => !results.has(row))).toHaveLength(1);
  });

  it.each([
    ['docs/presets.md', ['0.582', '0.136', '544,236', '31.56 %', '32.12 %']],
    ['docs/concepts.md', ['5.28 %']],
  ])('in the sentences of %s are also in bench/RESULTS.md', (file, figures) => {
    const said = lines(readPage(file)).join(' ');
    const known = [...results].join(' ');
    for (const figure of figures) {
      expect(said).toContain(figure);
      expect(known).toContain(figure);
    }
  });

  it('come with the commands of bench/RESULTS.md', () => {
    const known = [...results].join(' ');
    const commands = Array.from(page.matchAll(/npm run --silent bench[^`]*/g), ([command]) => command.trim().replace(/\s+/g, ' '));
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands) expect(known).toContain(command);
  });
});

describe('the app and the commands', () => {
  it('docs/app.md lists every key', () => {
    const rows = lines(readPage('docs/app.md')).filter((line) => line.startsWith('| <kbd>'));
    const keysOf = (row: string): string => Array.from(row.split('|')[1]!.matchAll(/<kbd>(.*?)<\/kbd>/g), ([, key]) => key!).join(' ');
    expect(rows.map(keysOf).toSorted()).toEqual(SHORTCUTS.map(({ shown }) => shown.join(' ')).toSorted());
  });

  it.each([
    ['diarize', 'cli/diarizeOptions.ts'],
    ['score', 'cli/score.ts'],
    ['evaluate', 'cli/evaluate/options.ts'],
    ['compare', 'cli/compareOptions.ts'],
    ['bisect', 'cli/bisect.ts'],
    ['stage', 'cli/stage.ts'],
    ['audit', 'cli/audit.ts'],
    ['replay', 'cli/replay.ts'],
  ])('docs/command-line.md lists every option of %s', (command, file) => {
    // `diarize` declares its flags in a table, the other commands for parseArgs.
    const declared = /^ +(?:'?([\w-]+)'?: \{ type: '(?:string|boolean)'|flagOf\('\w+', '([\w-]+)'|\{ name: '([\w-]+)')/gm;
    const options = Array.from(readPage(file).matchAll(declared), ([, ...names]) => `--${names.find(Boolean)!}`);
    const [section] = readPage('docs/command-line.md').split(`\n## ${command}\n`)[1]!.split('\n## ');
    const rows = lines(section!).filter((line) => line.startsWith('| `--'));
    const said = rows.flatMap((row) => Array.from(row.replaceAll('\\|', '/').split('|')[1]!.matchAll(/--[\w-]+/g), ([name]) => name));
    expect(options.length).toBeGreaterThan(2);
    expect(said.toSorted()).toEqual(options.filter((option) => option !== '--help').toSorted());
  });
});

describe('models', () => {
  interface Manifest {
    readonly id: string;
    readonly license: string;
    readonly attribution: string;
    readonly file: { readonly bytes: number; readonly sha256: string };
    readonly embeddingSize?: number;
  }
  const manifests = readdirSync(join(ROOT, 'models'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'))
    .map(({ name }) => JSON.parse(readFileSync(join(ROOT, 'models', name, 'manifest.json'), 'utf8')) as Manifest);
  const rows = lines(readPage('docs/models.md')).filter((line) => /^\| `[\w.-]+` \|/.test(line));

  it('have a row each', () => {
    expect(rows.filter((row) => row.includes('MB')).length).toBe(manifests.length);
  });

  it.each(manifests.map((manifest) => [manifest.id, manifest] as const))('%s: license, size, hash and authors match the manifest', (id, manifest) => {
    const [, , task, license, file, by] = rows.find((row) => row.startsWith(`| \`${id}\``))!.split('|').map((cell) => cell.trim());
    const { bytes, sha256 } = manifest.file;
    expect([license, file, by]).toEqual([manifest.license, `${(bytes / 1e6).toFixed(1)} MB, \`${sha256.slice(0, 12)}…\``, manifest.attribution]);
    const said = /(\d+) numbers/.exec(task!)?.[1];
    if (said !== undefined) expect(Number(said)).toBe(manifest.embeddingSize);
  });
});

describe('names', () => {
  /** The literals of a union type in a source file. */
  function union(file: string, type: string): string[] {
    const [, body] = new RegExp(`export type ${type} =([^;]*);`).exec(readPage(file))!;
    return Array.from(body!.matchAll(/'([\w-]+)'/g), ([, name]) => name!);
  }

  it('the fault entries cover exactly the error codes', () => {
    const codes = union('src/util/errors.ts', 'ErrorCode');
    const entries = lines(readPage('docs/faults.md')).filter((line) => line.startsWith('### ')).map((line) => line.slice(4));
    expect(codes.length).toBeGreaterThan(20);
    expect(entries.toSorted()).toEqual(codes.toSorted());
  });

  it('every cause of the comparison is explained', () => {
    const causes = union('src/compare/report.ts', 'CauseId');
    const [, table] = /## Which causes are known\s+((?:\|.*\n)+)/.exec(readPage('docs/compare.md'))!;
    const said = lines(table!).slice(2).flatMap((row) => Array.from(row.split('|')[1]?.matchAll(/`([\w-]+)`/g) ?? [], ([, name]) => name!));
    expect(causes.length).toBeGreaterThan(10);
    expect(said.toSorted()).toEqual(causes.toSorted());
  });

  it('messages in the fault entries match the code', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
      .concat(['handle', 'openNodeWorker', 'spawn'].map((name) => readFileSync(join(ROOT, `workers/${name}.ts`), 'utf8')))
      .join('\n');
    const quoted = Array.from(readPage('docs/faults.md').matchAll(/(?<![*\w])\*([^*]+)\*(?!\*)/g), ([, text]) => text!.replace(/\s+/g, ' '));
    const messages = quoted.filter((text) => text.includes(' '));
    expect(messages.length).toBeGreaterThan(20);
    // Words in capitals and … stand for values. The text between them must occur in the code.
    const missing = messages.flatMap((message) =>
      message
        .split(/\b[A-Z]{2,}\b(?<!\b(?:WAV|GPU|WASM|SIMD|JSON)\b)|\bN\b|…|"/)
        .map((piece) => piece.replace(/[.:,]?\s*$/, '').trim())
        .filter((piece) => piece.length > 7 && !sources.includes(piece))
        .map((piece) => `${message}: ${piece}`),
    );
    expect(missing).toEqual([]);
  });
});
