import { describe, expect, it } from 'vitest';
import {
  contextOf,
  expectCauses,
  gathered,
  random,
  ROUNDING,
  stageNamed,
  STAGES,
  tensorOf,
  withNoise,
} from '../compare/planted';
import type { Tensor } from '../../src/compare/tensor';

const FRAMED = STAGES.filter(({ axes }) => axes.includes('frame'));

/** The stage with its frames shifted; frames that enter at an end are noise. */
function shifted(name: string, frames: number): Float32Array {
  const stage = stageNamed(name);
  const axis = stage.axes.indexOf('frame');
  const size = stage.shape[axis]!;
  const next = random(3);
  const moved = gathered(stage, stage.shape, (index) => index.with(axis, (index[axis]! + frames + size) % size));
  const positions = gathered(tensorOf(stage.shape, (index) => index), stage.shape, (index) => index);
  return moved.data.map((value, flat) => {
    const stride = stage.shape.slice(axis + 1).reduce((product, length) => product * length, 1);
    const from = (Math.floor(positions.data[flat]! / stride) % size) + frames;
    return from >= 0 && from < size ? value + ROUNDING * next() : next();
  });
}

/** The stage with resampled frames: each interpolated at a position between its own frames. */
function resampled(name: string, count: number, positionOf: (frame: number) => number): Tensor {
  const stage = stageNamed(name);
  const axis = stage.axes.indexOf('frame');
  const shape = stage.shape.with(axis, count);
  const last = stage.shape[axis]! - 1;
  const at = (round: (position: number) => number): Float32Array =>
    gathered(stage, shape, (index) => index.with(axis, Math.max(0, Math.min(last, round(positionOf(index[axis]!)))))).data;
  const [before, after] = [at(Math.floor), at(Math.ceil)];
  const shareOf = tensorOf([count], (frame) => positionOf(frame) - Math.floor(positionOf(frame)));
  const shares = gathered(shareOf, shape, (index) => [index[axis]!]).data;
  return { shape, data: before.map((value, index) => value + shares[index]! * (after[index]! - value)) };
}

describe('shifted-frames', () => {
  it.each(FRAMED)('finds them in $name, in both directions', async (stage) => {
    for (const frames of [1, -1, 3, -7, 10]) {
      const cause = await expectCauses(contextOf(stage, { data: shifted(stage.name, frames) }), 'shifted-frames');
      // Our frame 0 matches golden frame `frames`.
      expect(cause.values.frames).toBe(frames);
    }
  });

  it('reports which side is later', async () => {
    const stage = stageNamed('lstm');
    const later = await expectCauses(contextOf(stage, { data: shifted('lstm', 2) }), 'shifted-frames');
    expect(later.evidence).toMatch(/^the golden output is the computed output, shifted 2 frames later/);
    const earlier = await expectCauses(contextOf(stage, { data: shifted('lstm', -1) }), 'shifted-frames');
    expect(earlier.evidence).toMatch(/^the golden output is the computed output, shifted 1 frame earlier/);
  });

  it('searches up to a tenth of a long stage, and not further', async () => {
    // 208 frames.
    await expectCauses(contextOf(stageNamed('head'), { data: shifted('head', 20) }), 'shifted-frames');
    await expectCauses(contextOf(stageNamed('head'), { data: shifted('head', 25) }));
  });
});

describe('frame-count', () => {
  it.each(FRAMED)('finds frames of $name that are missing at the ends', async (stage) => {
    const numFrames = stage.shape[stage.axes.indexOf('frame')]!;
    const ours = resampled(stage.name, numFrames - 5, (frame) => frame + 2);
    const cause = await expectCauses(contextOf(stage, { ...ours, data: withNoise(ours.data, ROUNDING) }), 'frame-count');
    expect(cause.values).toMatchObject({ ours: numFrames - 5, golden: numFrames, how: 'cut', start: 2 });
    expect(cause.evidence).toContain('the computed output is the golden output without its first 2 and last 3');
  });

  it('finds them if golden has fewer', async () => {
    const stage = stageNamed('lstm');
    const golden = resampled('lstm', 100, (frame) => frame);
    const cause = await expectCauses(contextOf(stage, {}, { golden }), 'frame-count');
    expect(cause.evidence).toMatch(/^the computed output has 115 frames, the golden output has 100: the golden output is the computed output without its first 0 and last 15/);
  });

  it.each(['sincnet', 'lstm', 'linear2', 'classifier', 'fbank', 'head'])('finds another hop of %s', async (name) => {
    const stage = stageNamed(name);
    const numFrames = stage.shape[stage.axes.indexOf('frame')]!;
    // Like 560 frames instead of 589.
    const fewer = Math.round((numFrames * 560) / 589);
    const ours = resampled(name, fewer, (frame) => ((frame + 0.5) * numFrames) / fewer - 0.5);
    const cause = await expectCauses(contextOf(stage, ours), 'frame-count');
    expect(cause.values).toMatchObject({ ours: fewer, golden: numFrames, how: 'stretched' });
    expect(cause.evidence).toContain(`the computed output has ${fewer} frames, the golden output has ${numFrames}: over the same time`);
  });

  it('reports only the counts of frames that are neither', async () => {
    const stage = stageNamed('lstm');
    const next = random(5);
    const cause = await expectCauses(contextOf(stage, tensorOf([1, 100, 256], next)), 'frame-count');
    expect(cause.values).toEqual({ ours: 100, golden: 115 });
    expect(cause.evidence).toContain('neither cut nor stretched');
  });

  it('reports nothing for other axes', async () => {
    await expectCauses(contextOf(stageNamed('lstm'), tensorOf([1, 115, 255], random(6))));
    await expectCauses(contextOf(stageNamed('embedding'), tensorOf([1, 191], random(6))));
  });
});
