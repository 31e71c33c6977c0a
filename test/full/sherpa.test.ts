import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRttm, toRttm } from '../../src/formats/rttm';
import { diarizationErrorRate } from '../../src/score/der';
import { openSherpa } from '../../bench/peers/sherpa';
import type { MeasuredSystem } from '../../bench/peers/system';

/** Enough windows to distinguish the speakers. With three windows, sherpa-onnx finds one speaker; with one, it embeds nothing. */
const SEGMENT_SECONDS = 20;

let sherpa: MeasuredSystem;

beforeAll(async () => {
  sherpa = await openSherpa();
}, 60_000);

afterAll(() => sherpa.close());

describe('sherpa-onnx on our models', () => {
  it('finds the turns of the sample', { timeout: 120_000 }, async () => {
    const { turns, durationSeconds, threads } = await sherpa.run('public/sample.wav', SEGMENT_SECONDS);
    expect({ durationSeconds, threads }).toEqual({ durationSeconds: SEGMENT_SECONDS, threads: 1 });
    const [reference = []] = parseRttm(readFileSync('public/sample.rttm', 'utf8')).values();
    const [written = []] = parseRttm(toRttm(turns, 'sample')).values();
    expect(new Set(turns.map(({ speaker }) => speaker)).size).toBe(2);
    const { der } = diarizationErrorRate(reference, written, { uem: [{ startSeconds: 0, endSeconds: SEGMENT_SECONDS }] });
    console.log(`sherpa-onnx on the first ${SEGMENT_SECONDS} s: DER ${der.toFixed(4)}`);
    expect(der).toBeLessThan(0.2);
  });

  it('reports an error for a file and continues', async () => {
    await expect(sherpa.run('bench/peers.ts', null)).rejects.toThrow(/^The file format is not supported/);
    expect((await sherpa.run('public/sample.wav', 1)).durationSeconds).toBe(1);
  });
});
