import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findDocFaults } from './checkDocs';
import { ENTRIES, ROOT } from './entries';

const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The text without the comment directly before `code`. */
function withoutComment(path: string, code: string): string {
  const text = textOf(path);
  const at = text.indexOf(code);
  const from = text.lastIndexOf('/**', at);
  expect(text.slice(from, at)).toMatch(/\*\/\s*$/);
  return text.slice(0, from) + text.slice(at);
}

describe('findDocFaults', () => {
  it.each([
    ['a function', 'src/score/score.ts', 'export function score(', 'score'],
    ['an interface', 'src/score/der.ts', 'export interface Components', 'Components'],
    ['a member', 'src/score/jer.ts', 'readonly speechSeconds: number;', 'SpeakerJaccard.speechSeconds'],
    ['a member of a type literal', 'src/formats/json.ts', 'readonly stage: string;', 'RunManifest.models.stage'],
    ['a method', 'src/util/errors.ts', 'toParts(): ErrorParts', 'VoxlaneError.toParts'],
  ])('reports the position of %s without a comment', (_what, path, code, name) => {
    const entry = path.includes('formats') ? ENTRIES.formats : ENTRIES.score;
    const changed = withoutComment(path, code);
    const line = changed.slice(0, changed.indexOf(code)).split('\n').length;
    expect(findDocFaults([entry], new Map([[path, changed]]))).toEqual([
      { file: path, line, name, fault: 'has no doc comment' },
    ]);
  });

  it('treats a comment with only tags as missing', () => {
    const path = 'src/score/score.ts';
    const changed = withoutComment(path, 'export function score(').replace(
      'export function score(',
      '/** @throws VoxlaneError `options` */\nexport function score(',
    );
    expect(findDocFaults([ENTRIES.score], new Map([[path, changed]]))).toMatchObject([{ name: 'score' }]);
  });

  it('reports a type in the API of an entry that is not exported', () => {
    const path = 'src/entries/score.ts';
    const changed = textOf(path).replace("export type { Segment } from '../util/segment';\n", '');
    const faults = findDocFaults([path], new Map([[path, changed]]));
    expect(faults.length).toBeGreaterThan(0);
    expect(faults).toContainEqual(
      expect.objectContaining({ name: 'Segment', fault: 'is part of the public API but not exported' }),
    );
    expect(new Set(faults.map(({ name }) => name))).toEqual(new Set(['Segment']));
  });
});
