import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cancelCases, makeClusteringEndless, startUntilStage, type CancelCase } from '../../test/browser/cancel';
import { piecesOf, readClip, SAMPLE_RATE, silence, whole } from '../scale/joined';
import { encodeVbrMp3 } from '../scale/vbrMp3';
import { openEngine, withBrowser } from './browser';
import type { Group } from './figure';

const DURATION_SECONDS = 3 * 3600;
const PART_SECONDS = 270;
const CASES = cancelCases(DURATION_SECONDS - PART_SECONDS);
const nameOf = ({ stage }: CancelCase): string => `cancel-${stage}`;

/** Time from the abort signal to the error. long.spec.ts tests that the workers end. */
export const cancel: Group = {
  name: 'cancel',
  bounds: CASES.map((one) => ({
    name: nameOf(one),
    what: `time from cancellation during ${one.stage} to the error`,
    unit: 'ms',
    limit: 300,
    side: 'at most',
    reason: 'users expect cancellation to take effect immediately; absolute because a user waits for it',
  })),
  measure: async (wanted, say) => {
    const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
    try {
      const long = join(folder, 'long.mp3');
      if (wanted.has('cancel-decode')) await writeLongMp3(long);
      const values: Record<string, number> = {};
      for (const one of CASES.filter((each) => wanted.has(nameOf(each)))) {
        values[nameOf(one)] = await withBrowser(say, async ({ page }) => {
          if (one.stage === 'clustering') await makeClusteringEndless(page);
          await openEngine(page);
          await page.setInputFiles('#file', one.recording === 'long' ? long : 'public/sample.wav');
          const { done } = await startUntilStage(page, one, { backend: 'wasm', preset: 'exact' });
          const { code, milliseconds } = await page.evaluate(async () => {
            const start = performance.now();
            cancellableRun.controller.abort();
            return { code: await cancellableRun.ended, milliseconds: performance.now() - start };
          });
          if (code !== 'cancelled' || done.includes(one.stage)) throw new Error(`The run ended before ${one.stage} could be canceled.`);
          return milliseconds;
        });
      }
      return values;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Writes three hours of silence followed by half a minute of speech, at the sample rate of the sample. */
async function writeLongMp3(path: string): Promise<void> {
  const clip = await readClip('public/sample.wav');
  const segments = [silence(DURATION_SECONDS - 31), whole(clip), silence(1)];
  const options = { sampleRate: SAMPLE_RATE, outputSampleRate: SAMPLE_RATE, quality: 0 } as const;
  writeFileSync(path, await encodeVbrMp3(piecesOf(segments), options));
}
