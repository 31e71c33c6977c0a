/** Comparisons of our own kernels with golden outputs, and faults planted in them. */
import { describe, expect, it } from 'vitest';
import { cpuSegmentFeatures } from '../embedding/gpuGather';
import { graphInfo } from '../onnx/model';
import { CampplusNet } from '../embedding/campplusNet';
import { PyannetNet } from '../segmentation/pyannetNet';
import { CAMPPLUS, lstmChanged, reorderGates, SEGMENTATION } from '../../test/compare/plantedModels';
import type { ShippedCase } from '../../test/compare/nodeRun';
import { makePlan } from './plan';
import { compareStages, type RunResult } from './run';
import type { GraphTensor, ValueRunner } from './graphRunner';
import { JoinedRunner, KernelRunner, openKernels, planForKernels, type TracedNetwork } from './kernelRunner';

/** Compares the kernels in Node. @param network replaces the kernels that read the graph */
async function compareKernels({ model, manifest, bundle }: ShippedCase, network?: TracedNetwork): Promise<RunResult> {
  const plan = makePlan(bundle, graphInfo(model), manifest);
  const unused = { info: graphInfo(model) } as KernelRunner;
  const graph = network ? new KernelRunner(graphInfo(model), network, manifest.input.name, manifest.task === 'embedding') : openKernels(model, manifest, unused);
  const features = plan.features && cpuSegmentFeatures(plan.features.facts, plan.features.sampleRate);
  return compareStages({ plan: planForKernels(plan, graph), model, runner: { graph, features }, variants: null, thorough: false, onStep: () => undefined });
}

const judged = ({ stages }: RunResult): string[] =>
  stages.map(({ name, verdict, inherited }) => `${name}: ${inherited ? 'inherited' : verdict}`);

describe('kernels on WASM', () => {
  it('segmentation-3.0 passes every stage, even on golden input', async () => {
    const { verdict, stages } = await compareKernels(SEGMENTATION);
    expect(verdict).toBe('pass');
    expect(stages.map(({ name }) => name)).toEqual(SEGMENTATION.manifest.stages.map(({ name }) => name));
    expect(stages.map(({ forced }) => forced?.verdict)).toEqual([undefined, ...stages.slice(1).map(() => 'pass')]);
  }, 60_000);

  it('swapped gates in the LSTM kernel: the stage lstm is wrong, and later stages inherit the failure', async () => {
    const { model } = lstmChanged((values, shape) => reorderGates(values, shape, [0, 2, 1, 3]));
    const { manifest } = SEGMENTATION;
    const result = await compareKernels(SEGMENTATION, PyannetNet.ofModel(model, manifest));
    expect(result.firstDivergence).toBe('lstm');
    expect(judged(result)).toEqual(['sincnet: pass', 'lstm: fail', 'linear1: inherited', 'linear2: inherited', 'classifier: inherited']);
  }, 60_000);

  it('a wrong value of the last layer of CAM++: only the stage embedding is wrong', async () => {
    const { manifest, model } = CAMPPLUS;
    const net = CampplusNet.ofModel(model, manifest);
    const faulty: TracedNetwork = {
      valueNames: net.valueNames,
      trace: (input, onValue) => {
        const { data, shape } = net.trace(input, onValue);
        return { data: data.map((value, index) => (index === 7 ? value + 1 : value)), shape };
      },
    };
    const result = await compareKernels(CAMPPLUS, faulty);
    expect(result.firstDivergence).toBe('embedding');
    expect(judged(result)).toEqual([...['fbank', 'head', 'tdnn', 'block1', 'block2', 'block3', 'pooling'].map((name) => `${name}: pass`), 'embedding: fail']);
  }, 60_000);
});

describe('kernels and a runtime together', () => {
  const INFO = { inputs: [] } as unknown as KernelRunner['info'];
  const tensor = (...data: number[]): GraphTensor => ({ data: Float32Array.from(data), shape: [1, data.length] });

  /** A network `x` → `a` → `b`, each twice the value before. It can be traced asynchronously, like one on a GPU. */
  const network: TracedNetwork = {
    valueNames: ['a', 'b'],
    trace: async ({ data, shape }, onValue) => {
      const a = { data: data.map((value) => 2 * value), shape };
      const used = onValue?.('a', a) ?? a;
      return Promise.resolve({ data: used.data.map((value) => 2 * value), shape });
    },
  };
  const asked: string[] = [];
  const runtime: ValueRunner = {
    info: INFO,
    inputsOf: () => ['x'],
    values: (feeds, outputs) => {
      asked.push(`${outputs.join()} from ${[...feeds.keys()].join()}`);
      return Promise.resolve(new Map(outputs.map((name) => [name, { data: Float32Array.of(-1), shape: [1, 1], dtype: 'float32' }])));
    },
    release: () => Promise.resolve(),
  };
  const joined = new JoinedRunner(new KernelRunner(INFO, network, 'x', false), runtime);

  it('each computes its own values', async () => {
    const found = await joined.values(new Map([['x', tensor(1, 3)]]), ['b', 'inner', 'a']);
    const values = Object.fromEntries(Array.from(found, ([name, { data }]) => [name, [...data]]));
    expect(values).toEqual({ a: [2, 6], b: [4, 12], inner: [-1] });
    expect(asked).toEqual(['inner from x']);
  });

  it('golden values replace computed ones, also if one between them is unknown to the kernels', async () => {
    const feeds = new Map([['x', tensor(1, 3)], ['a', tensor(10, 20)], ['inner', tensor(7)]]);
    expect(joined.inputsOf(feeds, ['b'])).toEqual(['a']);
    expect([...(await joined.values(feeds, ['b'])).get('b')!.data]).toEqual([20, 40]);
  });
});
