/** Faults planted in the bundled models' own tensors. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { readBundle, tensorNamed, type GoldenStage } from '../../src/compare/files/bundle';
import { judgeMeasures, measure } from '../../src/compare/measure';
import type { Cause, CauseId } from '../../src/compare/report';
import { sizeOf, type Tensor } from '../../src/compare/tensor';
import type { CauseContext } from '../../src/compare/causes/context';
import { findCauses } from '../../src/compare/causes/findCauses';

export const BUNDLES = ['segmentation-3.0', 'campplus-zh-en'] as const;

const bundles = new Map(BUNDLES.map((id) => [id, readBundle(readFileSync(`public/goldens/${id}.zip`))]));

/** All stages of both models in order. */
export const STAGES: readonly GoldenStage[] = [...bundles.values()].flatMap(({ stages }) => stages);

export const stageNamed = (name: string): GoldenStage => tensorNamed(STAGES, name);

/** Input waveform of a model's stages, axes (batch, channel, sample). */
export const waveformTensorOf = (id: (typeof BUNDLES)[number]): Tensor =>
  tensorNamed(bundles.get(id)!.inputs, 'waveform');

/** The same, axes (sample). */
export const waveformOf = (id: (typeof BUNDLES)[number]): Float32Array => waveformTensorOf(id).data;

/** Reproducible numbers in [-1, 1): mulberry32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Adds uniform noise of up to `size`, in the unit of the values. */
export function withNoise(data: Float32Array, size: number, seed = 1): Float32Array {
  const next = random(seed);
  return data.map((value) => value + size * next());
}

/** Values of a shape from a function of their flat index. */
export const tensorOf = (shape: readonly number[], valueAt: (index: number) => number): Tensor => ({
  shape,
  data: Float32Array.from({ length: sizeOf(shape) }, (_, index) => valueAt(index)),
});

/** A tensor whose values are gathered from `source`. */
export function gathered(
  source: Tensor,
  shape: readonly number[],
  indexIn: (index: number[]) => readonly number[],
): Tensor {
  return tensorOf(shape, (flat) => {
    const index = shape.map((size, axis) => Math.floor(flat / sizeOf(shape.slice(axis + 1))) % size);
    const from = indexIn(index);
    return source.data[from.reduce((sum, position, axis) => sum * source.shape[axis]! + position, 0)]!;
  });
}

/** A context with only the values. `actual` is the computed tensor. */
export function contextOf(stage: GoldenStage, actual: Partial<Tensor>, more: Partial<CauseContext> = {}): CauseContext {
  return {
    stage: stage.name,
    axes: stage.axes,
    actual: { shape: stage.shape, data: stage.data, ...actual },
    golden: { shape: stage.shape, data: stage.data },
    tolerance: stage.tolerance,
    fbank: null,
    layer: null,
    rerun: null,
    graph: null,
    others: [],
    again: null,
    otherBatch: null,
    ...more,
  };
}

/** Finds causes of a stage that must fail and expects exactly these. @returns the first cause */
export async function expectCauses(context: CauseContext, ...ids: CauseId[]): Promise<Cause> {
  const { actual, golden, axes, tolerance, stage } = context;
  expect(judgeMeasures(measure(actual, golden, axes), tolerance), `the fault in ${stage} is one`).toBe('fail');
  const causes = await findCauses(context);
  expect(causes.map(({ id }) => id), causes.map(({ evidence }) => evidence).join('; ')).toEqual(ids);
  return causes[0]!;
}

/** Noise that simulates rounding of another backend. WASM differs from the golden outputs of these graphs by at most 2e-5. */
export const ROUNDING = 1e-4;
