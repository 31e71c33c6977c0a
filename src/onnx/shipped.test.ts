/** The graphs that ship with this release: read, cut and run on the WASM runtime. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import segmentation from '../../models/segmentation-3.0/manifest.json';
import { alterNode } from '../../test/onnx/alterNode';
import { extract, isolateNode, tap } from './cut';
import { encodeOnnx, graphInfo, parseOnnx, valueNames } from './model';
import { greatestDifference, noise, runModel, shapesOf, valuesOf, type Floats } from '../../test/onnx/run';
import type { KnownType } from './types';
import { listWeights, lstmNodes, replaceWeights, weightsBetween } from './weights';

const NUM_SAMPLES = 16_000;
const { durationSamples, stepSamples } = segmentation.receptiveField;
const NUM_FRAMES = 1 + Math.floor((NUM_SAMPLES - durationSamples) / stepSamples);
/** CAM++ halves the frames after its head. */
const NUM_FEATURES = 120;

/** Other fusions of the same float32 kernels round in another order; values here are of the order of 1. */
const ROUNDING = 1e-5;

interface Case {
  readonly id: string;
  readonly feeds: Record<string, Floats>;
  /** Shapes of the values named in models/README.md, with the axes given there. */
  readonly taps: Record<string, readonly number[]>;
}

const CASES: Case[] = [
  {
    id: 'segmentation-3.0',
    feeds: { waveform: noise(1, 1, NUM_SAMPLES) },
    taps: {
      sincnet: [1, 60, NUM_FRAMES],
      lstm: [1, NUM_FRAMES, 256],
      linear1: [1, NUM_FRAMES, 128],
      linear2: [1, NUM_FRAMES, 128],
    },
  },
  {
    id: 'campplus-zh-en',
    feeds: { features: noise(1, NUM_FEATURES, 80) },
    taps: {
      head: [1, 320, NUM_FEATURES],
      tdnn: [1, 128, NUM_FEATURES / 2],
      block1: [1, 512, NUM_FEATURES / 2],
      block2: [1, 1024, NUM_FEATURES / 2],
      block3: [1, 1024, NUM_FEATURES / 2],
      pooling: [1, 1024],
    },
  },
];

describe.each(CASES)('$id', ({ id, feeds, taps }) => {
  const bytes = readFileSync(`models/${id}/model.onnx`);
  const model = parseOnnx(bytes, id);
  const info = graphInfo(model);
  const output = info.outputs[0]!.name;
  const stages = Object.keys(taps);

  it('is unchanged after reading and writing', () => {
    expect(Buffer.compare(encodeOnnx(model), bytes)).toBe(0);
  });

  it('keeps its weights as views of the file', () => {
    const raw = model.graph!.initializer.filter(({ rawData }) => rawData.length > 0);
    expect(raw.length).toBeGreaterThan(0);
    expect(raw.every(({ rawData }) => rawData.buffer === bytes.buffer)).toBe(true);
  });

  it('describes itself', () => {
    expect(info).toMatchObject({ producer: 'pytorch 2.11.0', opset: 17, irVersion: 8, domains: [] });
    expect(info.inputs.map(({ name }) => name)).toEqual(Object.keys(feeds));
    const order = stages.map((stage) => valueNames(info).indexOf(stage));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('returns its tapped values beside its unchanged output', async () => {
    const plain = await runModel(model, feeds);
    const tapped = await runModel(tap(model, stages), feeds);
    expect(shapesOf(tapped)).toEqual({ ...shapesOf(plain), ...taps });
    expect(greatestDifference(tapped[output], plain[output])).toBeLessThan(ROUNDING);
  });

  it('returns a tapped value alone, without the nodes after it', async () => {
    const [first = ''] = stages;
    const alone = tap(model, [first], { only: true });
    expect(alone.graph!.node.length).toBeLessThan(info.nodes.length);
    expect(shapesOf(await runModel(alone, feeds))).toEqual({ [first]: taps[first] });
  });

  it('returns the same output if each stage is computed from the previous stage', async () => {
    const whole = await runModel(tap(model, stages), feeds);
    const all = [...stages, output];
    for (const [index, stage] of stages.entries()) {
      const next = all[index + 1]!;
      const cut = extract(model, { inputs: [stage], outputs: [next] });
      // CAM++ reads the number of real frames from its input in every block.
      expect([stage, ...Object.keys(feeds)]).toEqual(expect.arrayContaining([...cut.inputs]));
      expect(cut.inputs[0]).toBe(stage);
      const given = cut.inputs.map((name) => [name, feeds[name] ?? whole[name]!] as const);
      const results = await runModel(cut.model, Object.fromEntries(given));
      expect(Object.keys(results)).toEqual([next]);
      expect(greatestDifference(results[next], whole[next])).toBeLessThan(ROUNDING);
    }
  });

  it('shows a fault of one node in the output of the node and nowhere before', async () => {
    const [before = '', after = ''] = stages.slice(-2);
    const { name } = info.nodes.find(({ outputs }) => outputs.includes(after))!;
    const whole = await runModel(tap(model, stages), feeds);
    const altered = await runModel(tap(alterNode(model, name, 1.05), stages), feeds);
    expect(greatestDifference(altered[before], whole[before])).toBeLessThan(ROUNDING);
    const scaled = valuesOf(whole[after]).map((value) => value * 1.05);
    expect(greatestDifference(altered[after], scaled)).toBeLessThan(ROUNDING);
    expect(greatestDifference(altered[output], whole[output])).toBeGreaterThan(1e-3);
  });

  it('lists weights whose bytes match their shape and values', () => {
    const weights = listWeights(model);
    expect(weights.filter(({ problem }) => problem !== null)).toEqual([]);
    const held = weights.reduce((sum, weight) => sum + weight.bytes().length, 0);
    // Names and nodes make up the rest of the file.
    expect(held / bytes.length).toBeGreaterThan(0.98);
    for (const weight of weights.filter(({ dtype }) => dtype === 'float32')) {
      expect(Buffer.compare(new Uint8Array(weight.values()!.buffer), weight.bytes())).toBe(0);
    }
  });

  it('was not changed by the tests above', () => {
    expect(Buffer.compare(encodeOnnx(model), bytes)).toBe(0);
  });
});

describe('parts of segmentation-3.0', () => {
  const { feeds } = CASES[0]!;
  const model = parseOnnx(readFileSync('models/segmentation-3.0/model.onnx'), 'segmentation-3.0');
  const info = graphInfo(model);

  it('returns the same for every node alone as in the whole graph', async () => {
    const whole = await runModel(tap(model, valueNames(info)), feeds);
    const types = new Map<string, KnownType>(Object.entries(whole).map(([name, { type }]) => [name, { dtype: type }]));
    const nodes = info.nodes.filter(({ op }) => op !== 'Constant');
    expect(nodes.length).toBeGreaterThan(40);
    for (const { name, outputs } of nodes) {
      const { model: alone, inputs } = isolateNode(model, name, types);
      const given = inputs.map((input) => [input, whole[input] ?? feeds[input]!] as const);
      const results = await runModel(alone, Object.fromEntries(given));
      for (const output of outputs) {
        expect(results[output]?.dims, name).toEqual(whole[output]?.dims);
        expect(greatestDifference(results[output], whole[output]), name).toBeLessThan(ROUNDING);
      }
    }
  });

  it('finds the LSTM layers and the weights between two stages', () => {
    const bounds = { inputs: ['sincnet'], outputs: ['lstm'] };
    const weights = new Map(weightsBetween(model, bounds).map((weight) => [weight.name, weight]));
    const layers = lstmNodes(model, bounds);
    expect(layers).toHaveLength(4);
    for (const { node, w, r, b, hidden, directions, direction } of layers) {
      expect({ hidden, directions, direction }).toEqual({ hidden: 128, directions: 2, direction: 'bidirectional' });
      expect(weights.get(w)).toMatchObject({ usedBy: [node], dtype: 'float32' });
      expect(weights.get(r)?.shape).toEqual([2, 4 * hidden, hidden]);
      expect(weights.get(b!)?.shape).toEqual([2, 8 * hidden]);
    }
    expect(lstmNodes(model, { inputs: ['lstm'], outputs: ['scores'] })).toEqual([]);
    const after = weightsBetween(model, { inputs: ['lstm'], outputs: ['scores'] }).map(({ name }) => name);
    expect(after.filter((name) => weights.has(name))).toEqual([]);
    expect(after).toContain('linear.0.bias');
  });

  it('runs with other weights', async () => {
    const bounds = { inputs: ['lstm'], outputs: ['linear1'] };
    const float = weightsBetween(model, bounds).filter(({ dtype }) => dtype === 'float32');
    const zeros = new Map(float.map(({ name, values }) => [name, values()!.fill(0)]));
    const zeroed = replaceWeights(extract(model, bounds).model, zeros);
    const { linear1 } = await runModel(zeroed, { lstm: noise(1, NUM_FRAMES, 256) });
    expect(new Set(valuesOf(linear1))).toEqual(new Set([0]));
    expect(float[0]!.values()!.some((value) => value !== 0)).toBe(true);
  });
});
