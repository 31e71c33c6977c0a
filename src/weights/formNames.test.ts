import { describe, expect, it } from 'vitest';
import type { StoredModel } from '../store/cacheTools';
import type { WeightsForm } from './convert';
import { conversionsOf, formName, isEarlierVersion, nameFromFloat16, storedForms } from './formNames';

const [KNOWN, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];
const SOURCES = [{ name: 'model.safetensors', bytes: 1, sha256: KNOWN, license: 'OpenMDW-1.1' }];
const ALL = ['float32', 'float16', 'int8'];

const stored = (as: string | null, from = KNOWN, changes: Partial<StoredModel> = {}): StoredModel => ({
  id: 'm', file: 'f', bytes: 1, license: null, trusted: false, storedAt: 0,
  ...(as === null ? { sha256: from } : { sha256: 'c'.repeat(64), made: { from, as } }),
  ...changes,
});
const formsOf = (files: readonly StoredModel[], trustUnknown = false): WeightsForm[] => [...storedForms(files, { id: 'm', sources: SOURCES, trustUnknown })];

describe('the forms that need no download', () => {
  it.each([
    ['none, if nothing is stored', [], []],
    ['all, if the original is stored', [stored(null)], ALL],
    ['all, if float16 is stored', [stored(formName('float16'))], ALL],
    ['int8, if only that is stored', [stored(formName('int8'))], ['int8']],
    ['int8, if only that is left of what was made from float16', [stored(nameFromFloat16('int8'))], ['int8']],
    ['all, if only a copy of the original is stored', [stored(formName('float32'))], ALL],
    ['none of another model, release or original', [stored(null, KNOWN, { id: 'n' }), stored('float16.0'), stored(formName('int8'), OTHER)], []],
  ] as const)('are %s', (_, files, forms) => {
    expect(formsOf(files)).toEqual(forms);
  });

  it('are those of a trusted file only with that trust', () => {
    const files = [stored(formName('int8'), OTHER, { trusted: true })];
    expect([formsOf(files), formsOf(files, true)]).toEqual([[], ['int8']]);
  });
});

it('the conversions of an original are those from the same file, in a form of this release', () => {
  const usable = [stored(formName('int8')), stored(nameFromFloat16('int8'))];
  const others = [stored(null), stored('int8.2'), stored(formName('int8'), OTHER), stored(formName('int8'), KNOWN, { id: 'n' })];
  expect(conversionsOf(stored(null), [...others, ...usable])).toEqual(usable);
});

it('an earlier version is one of the same form with a smaller number', () => {
  const names = ['int8.2', 'int8.10', 'int8.9', 'float16.1', 'int8-of-float16.2'];
  expect(names.filter((name) => isEarlierVersion(name, 'int8.9'))).toEqual(['int8.2']);
});
