/** On recordings with many batches, `stage` in Node returns the whole stage as reported to the hook of a run in the browser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseNpy } from '../../src/compare/files/npy';
import { sampleRepeated, sampleWav } from '../../test/audio/sampleWav';
import { runCommand } from '../../test/browser/command';
import { test as engineTest, expect } from '../../test/browser/engine';

/**
 * Duration of the recording: 15 s are 6 windows in 2 batches, the last one partially filled. Values over 30 must be multiples of
 * 30; 480 s take minutes.
 */
const SECONDS = Number(process.env.VOXLANE_STAGE_SECONDS ?? 15);
const NUM_WINDOWS = SECONDS - 9;

let folder: string;
engineTest.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
});
engineTest.afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

engineTest('segmentation and embedding of every window are byte-identical to a run', async ({ engine }) => {
  engineTest.setTimeout(60_000 + 15_000 * SECONDS);
  const recording = join(folder, 'recording.wav');
  writeFileSync(recording, SECONDS > 30 ? sampleRepeated(SECONDS / 30) : sampleWav(0, SECONDS));
  const { activity, embeddings, json } = await engine.run(recording);
  expect(json.durationSeconds).toBe(SECONDS);
  for (const [stage, shape, expected] of [
    ['segmentation', [NUM_WINDOWS, 589, 3], activity],
    ['embedding', [NUM_WINDOWS, 3, 192], embeddings.map((value) => value ?? NaN)],
  ] as const) {
    const out = join(folder, `${stage}.npy`);
    const { code, stdout } = await runCommand('stage', stage, recording, '--out', out);
    expect(code, stage).toBe(0);
    expect(stdout).toContain(`(${shape.join(', ')})`);
    const tensor = parseNpy(readFileSync(out), out);
    expect(tensor.shape).toEqual([...shape]);
    expect(tensor.data.length).toBe(expected.length);
    expect(tensor.data.findIndex((value, index) => !Object.is(value, expected[index])), `first value of ${stage} that differs`).toBe(-1);
  }
});

engineTest('reads files that only the browser can decode, with --engine browser', async () => {
  const decoded = await runCommand('stage', 'decode', 'e2e/fixtures/cases/flac_in_ogg.ogg', '--engine', 'browser');
  expect(decoded.code, decoded.stderr).toBe(0);
  // 4.096 s at 16 kHz.
  expect(decoded.stdout).toContain('decode (sample): (65536)');
  expect(decoded.stderr).toContain("note: Only the browser's own decoder can read this file.");
});
