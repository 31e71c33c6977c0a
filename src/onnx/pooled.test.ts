/** Split networks: the seeded ResNet34 in both common forms, and graphs that are neither. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededResnet34 } from '../../test/seededModel';
import { VoxlaneError } from '../util/errors';
import { tap } from './cut';
import { graphInfo, parseOnnx } from './model';
import type { ModelProto } from './onnx_pb';
import { resnetLayers, splitAtPooling } from './pooled';
import { build, float, int, ints, node, weight } from '../../test/onnx/build';
import { greatestDifference, noise, runModel, shapesOf, valuesOf } from '../../test/onnx/run';

const NUM_FRAMES = 40;
const MAP_FRAMES = NUM_FRAMES / 8;
/** Other fusions of the same float32 kernels round in another order; values here are of the order of 1. */
const ROUNDING = 1e-4;

const LAYERS = {
  conv1: [1, 32, 80, NUM_FRAMES],
  layer1: [1, 32, 80, NUM_FRAMES],
  layer2: [1, 64, 40, NUM_FRAMES / 2],
  layer3: [1, 128, 20, NUM_FRAMES / 4],
  layer4: [1, 256, 10, MAP_FRAMES],
};

/** The error of `splitAtPooling` for `model`; the test fails if it splits the model. */
function refusal(model: ModelProto): VoxlaneError {
  try {
    splitAtPooling(model);
  } catch (error) {
    if (error instanceof VoxlaneError) return error;
    throw error;
  }
  throw new Error('it was split');
}

describe.each(['wespeaker', 'pyannote'] as const)('ResNet34 in the form of %s', (form) => {
  const model = parseOnnx(seededResnet34(form), form);
  const network = splitAtPooling(model);
  const { backbone, head } = network;
  const features = noise(1, NUM_FRAMES, 80);

  it('is recognized, with the sizes of its parts', () => {
    expect(network.form).toBe(form);
    expect(head).toMatchObject({ embeddingSize: 256, numChannels: 2560 });
    expect(head.weight).toHaveLength(256 * 5120);
    expect(head.bias).toHaveLength(256);
    expect(head.meanVector?.length ?? null).toBe(form === 'wespeaker' ? 256 : null);
    const info = graphInfo(backbone);
    expect([info.inputs, info.outputs].map((values) => values.map(({ name }) => name))).toEqual([
      [network.input],
      [network.map],
    ]);
    // Convolutions, additions and activations; no part of the pooling.
    expect(new Set(info.nodes.map(({ op }) => op))).toEqual(
      new Set(['Transpose', 'Constant', 'Unsqueeze', 'Conv', 'Relu', 'Add']),
    );
  });

  it('returns the same in two parts as in one', async () => {
    const whole = await runModel(tap(model, [network.map, network.statistics]), { [network.input]: features });
    const { [network.map]: map } = await runModel(backbone, { [network.input]: features });
    expect(map?.dims).toEqual(LAYERS.layer4);
    expect(greatestDifference(map, whole[network.map])).toBeLessThan(ROUNDING);
    const statistics = valuesOf(whole[network.statistics]);
    expect(statistics).toHaveLength(2 * head.numChannels);
    const embedding = Array.from(head.bias, (bias, dimension) => {
      const row = head.weight.subarray(dimension * statistics.length, (dimension + 1) * statistics.length);
      return statistics.reduce((sum, value, i) => sum + value * row[i]!, bias - (head.meanVector?.[dimension] ?? 0));
    });
    expect(greatestDifference(whole[network.embedding], embedding)).toBeLessThan(ROUNDING);
  });

  it('has its layers at the expected values', async () => {
    const layers = resnetLayers(network);
    expect([...layers.keys()]).toEqual(Object.keys(LAYERS));
    const results = await runModel(tap(backbone, [...layers.values()], { only: true }), { [network.input]: features });
    const shapes = shapesOf(results);
    expect(Object.fromEntries([...layers].map(([layer, value]) => [layer, shapes[value]]))).toEqual(LAYERS);
    expect(layers.get('layer4')).toBe(network.map);
  });
});

describe('graphs that are neither', () => {
  it.each([
    ['segmentation-3.0', 'subtracts a value that is not a constant'],
    ['campplus-zh-en', 'ends in the operator Relu, not in a linear layer'],
  ])('%s', (id, found) => {
    const error = refusal(parseOnnx(readFileSync(`models/${id}/model.onnx`), id));
    expect(error.code).toBe('model-invalid');
    expect(error.problem).toContain(found);
    expect(error.expected).toMatch(/means and standard deviations.*linear layer/);
  });

  const CHANNELS = 3;
  const SIZE = 2;
  const meanOf = (value: string, output: string, axis = -1): ReturnType<typeof node> =>
    node('ReduceMean', [value], [output], { attribute: [ints('axes', axis)] });
  const counting = Array.from({ length: 2 * CHANNELS * SIZE }, (_, i) => i);

  /** A pooling network of three channels; each test breaks one part of it. */
  const small = (change: Partial<Record<'mean' | 'deviation' | 'linear', ReturnType<typeof node>>> = {}): ModelProto =>
    build({
      input: [float('x', 1, CHANNELS, null), float('weights', 1, 1, null)],
      output: [float('y', 1, SIZE)],
      initializer: [weight('matrix', [2 * CHANNELS, SIZE], counting), weight('vector', [SIZE], [5, 7])],
      node: [
        node('Relu', ['x'], ['map']),
        change.mean ?? meanOf('map', 'mean'),
        node('Sub', ['map', 'center'], ['centered']),
        node('ReduceMean', ['map'], ['center'], { attribute: [ints('axes', -1), int('keepdims', 1)] }),
        node('Mul', ['centered', 'centered'], ['squared']),
        meanOf('squared', 'variance'),
        change.deviation ?? node('Sqrt', ['variance'], ['deviation']),
        node('Concat', ['mean', 'deviation'], ['statistics'], { attribute: [int('axis', 1)] }),
        change.linear ?? node('MatMul', ['statistics', 'matrix'], ['product']),
        node('Add', ['product', 'vector'], ['y']),
      ],
    });

  it('accepts a matrix product with a separate bias node, and transposes the matrix', () => {
    const { head, form, map } = splitAtPooling(small());
    expect({ form, map }).toEqual({ form: 'pyannote', map: 'map' });
    expect([...head.weight]).toEqual([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
    expect([...head.bias]).toEqual([5, 7]);
    expect(head).toMatchObject({ meanVector: null, numChannels: CHANNELS, embeddingSize: SIZE });
  });

  it.each([
    ['another first statistic', { mean: node('ReduceMax', ['map'], ['mean']) }, 'ReduceMax, not a mean'],
    ['a mean over channels', { mean: meanOf('map', 'mean', 1) }, 'not a mean over the last axis'],
    ['another second statistic', { deviation: node('Exp', ['variance'], ['deviation']) }, 'Exp, not a square root'],
    ['another layer at the end', { linear: node('Mul', ['statistics', 'matrix'], ['product']) }, 'Add, not in a linear'],
    ['weights from outside', { deviation: node('Sqrt', ['weights'], ['deviation']) }, 'also depend on weights'],
  ])('%s', (_, change, found) => {
    expect(refusal(small(change)).problem).toContain(found);
  });
});
