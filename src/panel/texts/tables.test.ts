import { describe, expect, it } from 'vitest';
import { appDe, errorsDe, modelsDe, unexpectedDe } from '../../ui-kit/texts/de';
import { compareDe } from './de';
import { appEn, errorsEn, modelsEn, unexpectedEn } from '../../ui-kit/texts/en';
import { compareEn } from './en';

const en = { app: appEn, models: modelsEn, errors: errorsEn, unexpected: unexpectedEn, compare: compareEn };
const de: typeof en = { app: appDe, models: modelsDe, errors: errorsDe, unexpected: unexpectedDe, compare: compareDe };

type Saying = (...values: unknown[]) => unknown;

const preview = (turns: readonly object[]): object => ({ analyzedSeconds: 12.5, turns });

/** Arguments of entries that do not take numbers. */
const ARGUMENTS: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  'app.announce.preview': [[preview([])], [preview([{}])]],
  'app.selfCheck.heading': [[true], [false]],
  'app.announce.stage': [['Voxlane']],
  'app.details.embeddingModel': [['0123456789abcdef']],
  'models.comesAlong': [['MIT']],
  'models.isHere': [['MIT']],
  'models.toDownload': [[1e6, 'MIT']],
  'models.offer.revision': [['0123456789abcdef']],
  'models.offer.kept': [
    [[{ backends: ['wasm', 'webgpu'], bytes: 2e6, isConverted: false }], 2e6],
    [[{ backends: ['wasm'], bytes: 1e6, isConverted: true }, { backends: ['webgpu'], bytes: 2e6, isConverted: false }], 2e6],
  ],
  'models.offer.facts': [[1e6, 'MIT', 'Somebody']],
  'models.stored.license': [['MIT'], [null]],
  'compare.verdict.decisions': (['class', 'threshold', 'value', 'rank'] as const).flatMap((kind) => [[kind, 'frame', 0, 9], [kind, 'item', 1, 9], [kind, 'row', 3, 1234]]),
  'compare.announce.bisected': [['Conv_1'], [null]],
  'compare.failure.label': [['Job'], [null]],
  'compare.detail.at': [['frame', 1, 0.5], ['frame', 1, null]],
  'compare.detail.whyNone': [['Voxlane', 'MIT'], ['Voxlane', null]],
  'compare.detail.histogramAlternative': [['1'], ['']],
};

/** Zero, one, several, with a fraction. */
const NUMBERS = [0, 1, 2, 1234.5];

/** Names, units, symbols, and words shared by both languages. Texts that consist only of these may be the same in both. */
const SHARED_WORDS = new Set(
  `Voxlane RTTM JSON WASM WebGPU campplus community- nemotron segmentation- CAM sample.wav compare.html Esc Enter Pause
  Position Download Backend Checkpoint Graph Tensor Opset Log Linear Argmax Drift SNR dB NaN Inf SHA- frame Code Embeddings MIT Somebody s MB B`.split(/\s+/),
);
const isShared = (words: string): boolean => (words.match(/\p{L}(?:[\p{L}.-]*[\p{L}-])?/gu) ?? []).every((word) => SHARED_WORDS.has(word));

/** The text entries with their paths, in table order. */
function entries(table: unknown, path: string): [path: string, entry: string | Saying][] {
  if (typeof table === 'string' || typeof table === 'function') return [[path, table as string | Saying]];
  return Object.entries(table as Record<string, unknown>).flatMap(([key, value]) => entries(value, path ? `${path}.${key}` : key));
}

/** The texts of an entry: one per sample if it is a function. */
function sayings(path: string, entry: string | Saying): unknown[] {
  if (typeof entry === 'string') return [entry];
  const samples = ARGUMENTS[path] ?? NUMBERS.map((number) => Array.from({ length: entry.length || 2 }, () => number));
  return samples.map((values) => entry(...values));
}

const [english, german] = [entries(en, ''), entries(de, '')];

describe('the text tables', () => {
  it('have the same entries in the same order', () => {
    expect(german.map(([path]) => path)).toEqual(english.map(([path]) => path));
    expect(english.length).toBeGreaterThan(300);
  });

  it.each([
    ['en', english],
    ['de', german],
  ] as const)('have text in every entry: %s', (_, table) => {
    const silent = table.filter(([path, entry]) =>
      sayings(path, entry).some((words) => typeof words !== 'string' || words.trim() === '' || /undefined|\[object/.test(words)),
    );
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it('are translated', () => {
    const others = new Map(german);
    const same = english.flatMap(([path, entry]) => {
      const theirs = sayings(path, others.get(path)!);
      return sayings(path, entry).flatMap((words, index) =>
        words === theirs[index] && !isShared(String(words)) ? [`${path}: ${String(words)}`] : [],
      );
    });
    expect(same).toEqual([]);
  });
});
