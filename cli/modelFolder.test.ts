import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { presetOf } from './corpus/runOptions';
import { findModel } from './modelFolder';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const inside = join(folder, 'nemotron-3-diarization');
mkdirSync(inside);
writeFileSync(join(inside, 'model.safetensors'), '');
afterAll(() => { rmSync(folder, { recursive: true }); });

describe('the folder VOXLANE_MODELS', () => {
  it('has the weights of nemotron, directly or in a subfolder, only for this preset', () => {
    const environment = { VOXLANE_MODELS: folder };
    expect(findModel('nemotron', environment)).toBe(join(inside, 'model.safetensors'));
    expect(findModel('nemotron', { VOXLANE_MODELS: inside })).toBe(join(inside, 'model.safetensors'));
    for (const preset of ['auto', 'campplus', 'community-1'] as const) expect(findModel(preset, environment)).toBeUndefined();
    expect(findModel('nemotron', {})).toBeUndefined();
  });
});

it('a corpus uses nemotron only if it is named', () => {
  const model = { path: 'm', sha256: '00' };
  expect(presetOf({ preset: 'nemotron' } as never, null)).toBe('nemotron');
  expect([presetOf({ preset: 'auto' } as never, null), presetOf({ preset: 'auto' } as never, model)]).toEqual(['campplus', 'community-1']);
});
