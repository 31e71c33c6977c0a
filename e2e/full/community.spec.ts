/** The preset community-1 on the command line, also with the real weights if `VOXLANE_MODELS` is set to their folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findModel } from '../../cli/modelFolder';
import { parseRttm } from '../../src/formats/rttm';
import { scoreRecordings } from '../../src/score/score';
import { hasShared, SHARED, SHARED_MISSING } from '../../test/shared';
import { runCommand } from '../../test/browser/command';
import { expect, test } from '../../test/browser/seededModel';

test('a model file of unknown hash is rejected by default and accepted with --trust-model', async ({ seededModel: model }) => {
  const args = ['public/sample.wav', '--duration', '10', '--backend', 'wasm', '--preset', 'community-1', '--model', model];
  const refused = await runCommand('diarize', ...args);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/not a known file of wespeaker-resnet34-lm: its SHA-256 is [0-9a-f]{64}/);
  const taken = await runCommand('diarize', ...args, '--trust-model');
  expect(taken.code).toBe(0);
  expect(taken.stderr).toMatch(/preset community-1/);
  expect(parseRttm(taken.stdout).get('sample')?.length).toBeGreaterThan(0);
});

test('the error for another network states the expected one', async () => {
  const other = 'models/segmentation-3.0/model.onnx';
  const { code, stderr } = await runCommand('diarize', 'public/sample.wav', '--preset', 'community-1', '--model', other, '--trust-model');
  expect(code).toBe(1);
  expect(stderr).toMatch(/means and standard deviations/);
});

test.describe('with the real weights', () => {
  const real = findModel('community-1');
  test.skip(!hasShared, SHARED_MISSING);
  test.skip(real === undefined, 'VOXLANE_MODELS names no folder with voxceleb_resnet34_LM.onnx');
  for (const capture of ['02_pyannote_sample', '03_dual_speaker', '04_three_speaker', '05_four_speaker']) {
    test(`${capture}: within 1 % of pyannote's turns`, async () => {
      test.setTimeout(600_000);
      const at = join(SHARED, 'captures', capture);
      const { code, stdout } = await runCommand('diarize', join(at, 'clip_16k.wav'), '--backend', 'wasm', '--preset', 'community-1');
      expect(code).toBe(0);
      const turns = [...parseRttm(stdout).values()].flat();
      const reference = [...parseRttm(readFileSync(join(at, 'reference.rttm'), 'utf8')).values()].flat();
      const score = scoreRecordings(new Map([['r', reference]]), new Map([['r', turns]]), { collarSeconds: 0, skipOverlap: false });
      expect(score.der).toBeLessThanOrEqual(0.01);
    });
  }
});
