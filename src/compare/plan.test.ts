import { describe, expect, it } from 'vitest';
import { graphInfo } from '../onnx/model';
import { build, float, node } from '../../test/onnx/build';
import type { GoldenBundle, GoldenStage } from './files/bundle';
import { makePlan, noStage, unusedInputs } from './plan';
import { shippedCase } from '../../test/compare/nodeRun';

const TOLERANCE = { maxAbs: 0.01, cosine: 0.999 };
const stage = (name: string, value: string | null = null): GoldenStage => ({
  name,
  value,
  axes: ['batch', 'frame'],
  shape: [1, 2],
  data: Float32Array.of(1, Array.from(name).reduce((sum, letter) => sum + letter.charCodeAt(0), 0)),
  tolerance: TOLERANCE,
});
const bundle = (stages: readonly GoldenStage[], inputs = ['x']): GoldenBundle => ({
  model: 'foreign',
  source: {},
  notes: [],
  graph: null,
  inputs: inputs.map((name) => ({ name, axes: ['batch', 'sample'], shape: [1, 8], data: new Float32Array(8) })),
  stages,
});
const INFO = graphInfo(
  build({
    node: [
      node('Relu', ['x'], ['/layer1/Relu_output_0']),
      node('Tanh', ['/layer1/Relu_output_0'], ['middle']),
      node('Exp', ['middle'], ['y']),
    ],
    input: [float('x', 1, 2)],
    output: [float('y', 1, 2)],
  }),
);
const valuesOf = (golden: GoldenBundle, chosen?: Map<string, string>): [string, string][] =>
  makePlan(golden, INFO, null, chosen).stages.map(({ golden: { name }, value }) => [name, value]);

describe('makePlan', () => {
  it('sorts stages into graph order, whatever the order of the bundle', () => {
    expect(valuesOf(bundle([stage('y'), stage('middle')]))).toEqual([['middle', 'middle'], ['y', 'y']]);
  });

  it('finds a value by the value in the bundle, by letters and digits alone, and the last stage as the only output', () => {
    expect(valuesOf(bundle([stage('first', 'middle')]))).toEqual([['first', 'middle']]);
    expect(valuesOf(bundle([stage('layer1.relu_output.0')]))).toEqual([['layer1.relu_output.0', '/layer1/Relu_output_0']]);
    expect(valuesOf(bundle([stage('middle'), stage('logits')]))).toEqual([['middle', 'middle'], ['logits', 'y']]);
  });

  it('compares letters and digits of every script', () => {
    const info = graphInfo(
      build({
        node: [node('Relu', ['x'], ['/层1/出']), node('Tanh', ['/层1/出'], ['/ä/1']), node('Exp', ['/ä/1'], ['y'])],
        input: [float('x', 1, 2)],
        output: [float('y', 1, 2)],
      }),
    );
    const found = makePlan(bundle([stage('层1.出'), stage('Ä.1'), stage('ö.1'), stage('--'), stage('y')]), info, null);
    expect(found.stages.map(({ golden: { name }, value }) => [name, value])).toEqual([['层1.出', '/层1/出'], ['Ä.1', '/ä/1'], ['y', 'y']]);
    expect(found.unmapped.map(({ name }) => name)).toEqual(['ö.1', '--']);
  });

  it('prefers the choice of the user', () => {
    expect(valuesOf(bundle([stage('middle')]), new Map([['middle', '/layer1/Relu_output_0']]))).toEqual([
      ['middle', '/layer1/Relu_output_0'],
    ]);
  });

  it('lists stages without a value separately', () => {
    const plan = makePlan(bundle([stage('unknown'), stage('y')]), INFO, null);
    expect(plan.unmapped.map(({ name }) => name)).toEqual(['unknown']);
    const others = graphInfo(build({ node: [node('Split', ['x'], ['a', 'b'])], output: [float('a', 1), float('b', 1)], input: [float('x', 2)] }));
    const none = makePlan(bundle([stage('unknown')]), others, null);
    expect([none.stages.length, none.unmapped.length]).toEqual([0, 1]);
    expect(noStage(bundle([stage('unknown')]), others).problem).toMatch(/None of the stages unknown/);
    // The only output already belongs to another stage.
    const twice = makePlan(bundle([stage('y'), stage('extra')]), INFO, null);
    expect([twice.stages.length, twice.unmapped.map(({ name }) => name)]).toEqual([1, ['extra']]);
  });

  it('pairs inputs by name, or if there is only one', () => {
    expect([...makePlan(bundle([stage('y')], ['signal']), INFO, null).feeds.keys()]).toEqual(['x']);
    expect(() => makePlan(bundle([stage('y')], ['a', 'b']), INFO, null)).toThrow(/input x is not among .* a, b/);
    expect(() => makePlan(bundle([stage('y')], []), INFO, null)).toThrow(/none at all/);
  });

  it('names inputs that the graph does not have', () => {
    expect(unusedInputs(bundle([stage('y')], ['x', 'extra']), INFO)).toEqual(['extra is not used: the graph has no such input']);
    expect(unusedInputs(bundle([stage('y')], ['signal']), INFO)).toEqual([]);
  });

  it('reports the kinds of values if none is a numeric tensor', () => {
    const skipped = [{ golden: stage('list'), kind: 'a sequence' }];
    expect(noStage(bundle([stage('list')]), INFO, skipped).problem).toBe('No stage can be compared. The value of list is a sequence');
  });

  it('reads frame times from the manifest, and otherwise spreads frames over the recording', () => {
    const segmentation = shippedCase('segmentation-3.0');
    const plan = makePlan(segmentation.bundle, graphInfo(segmentation.model), segmentation.manifest);
    expect(plan.stages[0]!.clock).toEqual({ ...segmentation.manifest.stages[0]!.frames, sampleRate: 16_000 });
    expect(plan.waveform?.samples).toHaveLength(32_000);
    const foreign = { ...bundle([stage('y')]), source: { sample_rate: 4 } };
    expect(makePlan(foreign, INFO, null).stages[0]!.clock).toEqual({ centerSamples: 2, stepSamples: 4, sampleRate: 4 });
    expect(makePlan(bundle([stage('y')]), INFO, null).stages[0]!.clock).toBeNull();
  });

  it('aligns inputs and stages to the model by axis names', () => {
    const segmentation = shippedCase('segmentation-3.0');
    const [waveform] = segmentation.bundle.inputs as [GoldenStage];
    const numSamples = waveform.data.length;
    for (const axes of [['sample'], ['channel', 'batch', 'sample'], ['sample', 'batch']]) {
      const input = { ...waveform, axes, shape: axes.map((axis) => (axis === 'sample' ? numSamples : 1)) };
      const plan = makePlan({ ...segmentation.bundle, inputs: [input] }, graphInfo(segmentation.model), segmentation.manifest);
      expect(plan.feeds.get('waveform')?.shape).toEqual([1, 1, numSamples]);
      expect(plan.waveform?.samples).toHaveLength(numSamples);
    }
    const lstm = segmentation.bundle.stages[1]!;
    const chunked = { ...lstm, axes: ['chunk', ...lstm.axes], shape: [1, ...lstm.shape] };
    const plan = makePlan({ ...segmentation.bundle, stages: [chunked] }, graphInfo(segmentation.model), segmentation.manifest);
    expect(plan.stages[0]!.axes).toEqual(lstm.axes);
  });

  it('starts an embedding model at its filterbank, or at its features if the goldens do', () => {
    const campplus = shippedCase('campplus-zh-en');
    const info = graphInfo(campplus.model);
    const whole = makePlan(campplus.bundle, info, campplus.manifest);
    expect(whole.stages[0]).toMatchObject({ isFeatures: true, value: 'features', golden: { name: 'fbank' } });
    expect([...whole.feeds]).toEqual([]);
    const features = { ...campplus.bundle.stages[0]!, name: 'features' };
    const rest = { ...campplus.bundle, inputs: [features], stages: campplus.bundle.stages.slice(1) };
    const begun = makePlan(rest, info, campplus.manifest);
    expect(begun.features).toBeNull();
    expect([...begun.feeds.keys()]).toEqual(['features']);
  });

  it('uses the value of a stage with the same golden values, as for dropout', () => {
    const dropout = { ...stage('dropout'), data: stage('middle').data };
    expect(valuesOf(bundle([stage('middle'), dropout, stage('y')]))).toEqual([
      ['middle', 'middle'],
      ['dropout', 'middle'],
      ['y', 'y'],
    ]);
  });
});
