import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SHARED, SHARED_MISSING } from '../test/shared';
import { bareCapture, buildNpz } from '../test/engine/capture';
import { main } from './replay';
import { describeUnless } from '../test/skips';

const captures = join(SHARED, 'captures');
const names = existsSync(captures) ? readdirSync(captures) : null;

const scratch = mkdtempSync(join(tmpdir(), 'voxlane-replay-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** All stages in the captures, in order. */
const STAGES = [
  'train_chunk_idx',
  'train_speaker_idx',
  'post_xvec',
  'post_plda',
  'phi',
  'ahc_init_labels',
  'qinit',
  'q_final',
  'sp_final',
  'elbo_trajectory',
  'soft_clusters',
  'hard_clusters',
  'centroids',
  'count',
  'discrete_diarization',
  'rttm',
];

interface Report {
  readonly agrees: boolean;
  readonly stages: readonly { readonly stage: string; readonly agrees: boolean; readonly greatest: number | null }[];
}

describeUnless(names ? null : SHARED_MISSING).each(names ?? ['(none)'])('capture %s', (name) => {
  const folder = join(captures, name);

  test("every stage matches pyannote", () => {
    const { exitCode, stdout } = main([folder, '--json']);
    const report = JSON.parse(stdout) as Report;
    expect(report.stages.filter(({ agrees }) => !agrees)).toEqual([]);
    expect(report.stages.map(({ stage }) => stage)).toEqual(STAGES);
    expect(exitCode).toBe(0);
  });

  test('writes the turns of the reference', () => {
    const out = join(scratch, `${name}.rttm`);
    expect(main([folder, '--out', out]).exitCode).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(readFileSync(join(folder, 'reference.rttm'), 'utf8'));
  });
});

describe('a capture with only the model outputs', () => {
  const folder = mkdtempSync(join(scratch, 'bare-'));
  for (const [name, bytes] of bareCapture()) writeFileSync(join(folder, name), bytes);

  test('is replayed to turns of two speakers', () => {
    const out = join(scratch, 'bare.rttm');
    const { exitCode, stdout } = main([folder, '--out', out]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('no later stage');
    expect(new Set(readFileSync(out, 'utf8').match(/SPEAKER_\d+/g)).size).toBe(2);
  });

  test('with one wrong array, reports the difference and exits with 1', () => {
    const wrong = mkdtempSync(join(scratch, 'wrong-'));
    for (const [name, bytes] of bareCapture()) writeFileSync(join(wrong, name), bytes);
    writeFileSync(join(wrong, 'vbx_state.npz'), buildNpz({ sp_final: { shape: [1], data: Float64Array.of(0.5) } }));
    const { exitCode, stdout } = main([wrong]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^DIFFERS\s+sp_final/m);
  });

  test('without segmentations exits with 2 and names the file', () => {
    const half = mkdtempSync(join(scratch, 'half-'));
    writeFileSync(join(half, 'raw_embeddings.npz'), bareCapture().get('raw_embeddings.npz')!);
    const { exitCode, stderr, stdout } = main([half, '--json']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('segmentations.npz');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'format' } });
  });
});

test.each([[[]], [['a', 'b']], [['--no-such-option']], [[join(scratch, 'absent')]]])('%j exits with 2', (args) => {
  const { exitCode, stderr } = main(args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^replay: .+\n$/);
});

test('--help prints the usage', () => {
  expect(main(['--help'])).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Usage/) as string });
});
