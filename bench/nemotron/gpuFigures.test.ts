import { expect, it } from 'vitest';
import { CLASSES, type GpuClass } from '../dawn/estimate';
import { estimateHour, LIMITS, type NemotronGpuFigures, nemotronGpuText } from './gpuFigures';
import { countModes } from './gpuRun';

const gpu: GpuClass = { ...CLASSES[0]!, name: 'test', peak: 1e9, efficiency: 0.5, bandwidth: 1e8, link: 1e6, dispatchSeconds: 1e-3, roundTripSeconds: 1e-2 };
const perAudioSecond = { flops: 1e6, bytes: 1e5, dispatches: 2, submits: 0.5, bytesUp: 300, bytesBack: 200 };
const mode = { mode: 'offline', chunkSeconds: 27.2, dispatchesPerChunk: 350, perAudioSecond } as const;
const figures: NemotronGpuFigures = {
  limits: LIMITS,
  counted: { form: 'float16', numLayers: 31, weightBytes: 2e8, modes: [mode, { ...mode, mode: 'low_latency', dispatchesPerChunk: 451 }] },
  measured: null,
  estimates: [{ gpu, seconds: 7.2 }],
};
const linesOf = (text: string, start: string): string[] => text.split('\n').filter((line) => line.startsWith(start));

it('estimates an hour from arithmetic, dispatches, round trips and transfers', () => {
  // Arithmetic takes longer than memory: 2 ms and 1 ms per second of audio.
  expect(estimateHour(mode, gpu).seconds).toBeCloseTo(3600 * (2e-3 + 2e-3 + 5e-3 + 5e-4), 9);
});

it('marks estimates, and prints each figure with its limit', () => {
  const text = nemotronGpuText(figures);
  expect(linesOf(text, 'ESTIMATE, not a measurement')).toHaveLength(1);
  expect(linesOf(text, 'test')[0]).toMatch(/7\.2 +6 +no$/);
  expect(linesOf(text, 'offline')[0]).toMatch(/27\.20 +350 +450 +yes +0\.00 +0\.1 +0\.3 +0\.2 +0\.50$/);
  expect(linesOf(text, 'low_latency')[0]).toMatch(/ 451 +450 +no /);
  const measured = nemotronGpuText({ ...figures, measured: { adapter: 'a GPU', audioSeconds: 3600, seconds: 5.5, numFrames: 360_000 }, estimates: [] });
  expect(measured).toContain('on a GPU, measured: 5.50 s; limit 6 s; met: yes');
  expect(measured).not.toContain('ESTIMATE');
});

it('counts every mode of the full width, with fewer dispatches than the limit if all layers are like one', async () => {
  const { modes, form } = await countModes(1, 30);
  expect(form).toBe('float16');
  expect(modes.map(({ mode: name }) => name)).toEqual(['offline', 'low_latency', 'very_low_latency', 'ultra_low_latency']);
  for (const { dispatchesPerChunk } of modes) expect(dispatchesPerChunk + 30 * 11).toBeLessThanOrEqual(LIMITS.dispatchesPerChunk);
});
