import { afterEach, describe, expect, it, vi } from 'vitest';
import { readBundle } from './bundle';
import { parseNpy } from './npy';
import { sizeOf } from '../tensor';
import { writeBundle, writeNpy, type BundleToWrite } from './write';

const tensor = (name: string, shape: readonly number[], first: number): BundleToWrite['inputs'][number] => ({
  name,
  axes: shape.map((_, axis) => `a${axis}`),
  shape,
  data: Float32Array.from({ length: sizeOf(shape) }, (_, index) => first + index / 3),
});

const BUNDLE: BundleToWrite = {
  model: 'toy',
  source: { framework: 'none' },
  inputs: [tensor('x', [1, 3], 0), tensor('/enc/Add_output_0', [2], 5)],
  stages: [
    { ...tensor('Half', [], 7), value: '/half' },
    { ...tensor('half', [2, 2], 9), tolerance: { maxAbs: 0.5, cosine: 0.999, argmaxAgreement: 0.9 } },
    // Names that differ only in characters that file names cannot have.
    tensor('a/b', [1], 1),
    tensor('a:b', [1], 2),
  ],
  tolerance: { maxAbs: 0.01, cosine: 0.999 },
};

afterEach(() => { vi.unstubAllEnvs(); });

describe('writeNpy', () => {
  it.each([[[]], [[3]], [[2, 3]], [[0, 2]], [[1, 60, 5]]])('is read back, shape %j', (shape) => {
    const { data } = tensor('x', shape, -1);
    const file = writeNpy({ shape, data });
    expect(parseNpy(file, 'x.npy')).toEqual({ shape, data, dtype: '<f4', notes: [] });
    expect((file.length - data.byteLength) % 64).toBe(0);
  });

  it('keeps every bit, even of a NaN', () => {
    const bits = Uint32Array.of(0x7fc00001, 0x80000000, 1);
    const { data } = parseNpy(writeNpy({ shape: [3], data: new Float32Array(bits.buffer) }), 'x.npy');
    expect(new Uint32Array(data.buffer)).toEqual(bits);
  });
});

describe('writeBundle', () => {
  it('is read back', () => {
    const { model, source, inputs, stages, notes, graph } = readBundle(writeBundle(BUNDLE));
    expect({ model, source, inputs, notes, graph }).toEqual({
      model: BUNDLE.model, source: BUNDLE.source, inputs: BUNDLE.inputs, notes: [], graph: null,
    });
    const { tolerance } = BUNDLE;
    expect(stages).toEqual(BUNDLE.stages.map((stage) => ({ tolerance, value: null, ...stage })));
  });

  it('is read back with a graph, and again after writing the result', () => {
    const graph = Uint8Array.of(8, 7, 6);
    const { graphData, ...once } = readBundle(writeBundle({ ...BUNDLE, graph }));
    expect(once.graph).toEqual(graph);
    expect(graphData!(['weights.bin'])).toEqual(new Map());
    expect(readBundle(writeBundle({ ...once, tolerance: BUNDLE.tolerance }))).toMatchObject(once);
  });

  it('produces the same bytes at any time and in any time zone', () => {
    const [east, west] = ['Pacific/Kiritimati', 'Pacific/Pago_Pago'].map((zone) => {
      vi.stubEnv('TZ', zone);
      return writeBundle(BUNDLE);
    });
    expect(west).toEqual(east);
  });
});
