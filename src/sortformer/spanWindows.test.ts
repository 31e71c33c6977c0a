import { expect, test } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { parseStreamingSettings } from '../store/streamingSettings';
import { spanGeometry, SpanWindows } from './spanWindows';

const settings = parseStreamingSettings(nemotron.streaming, 'nemotron');

test('a span is a chunk or an update of the cache, divided into equal windows of whole encoder frames up to 10 s', () => {
  expect(spanGeometry(settings, 'low_latency', 160, 16_000)).toEqual({ framesPerWindow: 888, windowsPerSpan: 2, hopSamples: 160, sampleRate: 16_000 });
  expect(spanGeometry(settings, 'offline', 160, 16_000)).toEqual({ framesPerWindow: 680, windowsPerSpan: 4, hopSamples: 160, sampleRate: 16_000 });
  const of = (chunkFrames: number) => spanGeometry({ ...settings, offline: { ...settings.offline, chunkFrames } }, 'offline', 160, 16_000);
  expect(of(125)).toMatchObject({ framesPerWindow: 1000, windowsPerSpan: 1 });
  // A prime number of encoder frames has no other divisor.
  expect(of(127)).toMatchObject({ framesPerWindow: 8, windowsPerSpan: 127 });
});

const GEOMETRY = { framesPerWindow: 4, windowsPerSpan: 2, hopSamples: 3, sampleRate: 300 };
const NUM_FRAMES = 10;
const logits = Float32Array.from({ length: NUM_FRAMES * 2 }, (_, i) => Math.sin(3 * i));
/** One sample more than whole frames. */
const samples = Float32Array.from({ length: NUM_FRAMES * 3 + 1 }, (_, i) => i + 1);

test.each([1, 3, 7, 100])('the size of the pushes does not change the windows: %i', (size) => {
  const spans = new SpanWindows(GEOMETRY, 2, 0.5);
  for (let at = 0; at < samples.length; at += size) spans.addSamples(samples.subarray(at, at + size));
  const windows = [];
  for (let at = 0; at < NUM_FRAMES; at += size) {
    const part = logits.subarray(2 * at, 2 * (at + size));
    windows.push(...spans.decide({ logits: part, numFrames: part.length / 2 }));
  }
  windows.push(spans.finish()!);
  expect(spans.finish()).toBeNull();
  expect(windows).toHaveLength(3);
  windows.forEach((window, index) => {
    const frames = [0, 1, 2, 3].map((frame) => 4 * index + frame);
    const row = (frame: number): number[] => (frame < NUM_FRAMES ? [...logits.subarray(2 * frame, 2 * frame + 2)] : [-1, -1]);
    expect([...window.samples]).toEqual(Array.from({ length: 12 }, (_, i) => samples[12 * index + i] ?? 0));
    expect([...window.activity]).toEqual(frames.flatMap((frame) => row(frame).map((logit) => Number(logit > 0))));
    expect([...window.strongest]).toEqual(frames.map((frame) => Number(row(frame)[1]! > row(frame)[0]!)));
  });
});
