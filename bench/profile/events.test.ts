import { describe, expect, it } from 'vitest';
import { readTrace } from './events';

const event = (cat: string, name: string, dur: number, args: object = {}): string => JSON.stringify({ cat, name, dur, args });
const convolution = (dur: number): string =>
  event('Node', '/a/Conv_kernel_time', dur, {
    op_name: 'Conv',
    input_type_shape: [{ float: [1, 2, 9] }, { float: [4, 2, 3] }],
    output_type_shape: [{ float: [1, 4, 7] }],
  });
const relu = (dur: number): string =>
  event('Node', '/a/Relu_kernel_time', dur, { op_name: 'Relu', output_type_shape: [{ float: [1, 4, 7] }] });
const end = (dur: number): string => event('Session', 'model_run', dur);

const START = [event('Session', 'session_initialization', 9e6)];
const RUNS = [
  [convolution(90_000), relu(9000), end(200_000)],
  [convolution(5000), relu(300), end(6000)],
  [convolution(4000), relu(100), end(5000)],
  [convolution(4500), relu(200), end(5500)],
];

describe('readTrace', () => {
  it('uses the minimum time of the runs after warm-up', () => {
    const { nodes, runMs } = readTrace([...START, ...RUNS.flat()], 1);
    expect(runMs).toBe(5);
    expect(nodes).toEqual([
      { name: '/a/Conv', op: 'Conv', inputs: [[1, 2, 9], [4, 2, 3]], outputs: [[1, 4, 7]], cpuMs: 4, gpuMs: 0, kernels: 0 },
      { name: '/a/Relu', op: 'Relu', inputs: [], outputs: [[1, 4, 7]], cpuMs: 0.1, gpuMs: 0, kernels: 0 },
    ]);
  });

  it('sums the kernels of a node, without warm-up runs', () => {
    const kernels = [500, 300, 20, 40, 24, 36, 22, 38].map((dur, index) =>
      event('Api', `/a/Conv&Conv&${index % 2 ? 'Conv2dMM' : 'Transpose'}`, dur),
    );
    const { nodes } = readTrace([...START, ...RUNS.flat(), ...kernels], 1);
    expect(nodes[0]).toMatchObject({ gpuMs: 0.06, kernels: 2 });
    expect(nodes[1]).toMatchObject({ gpuMs: 0, kernels: 0 });
  });

  it('does not count kernels of nodes with the same name twice', () => {
    const runs = [relu(1), relu(2), end(3), relu(1), relu(2), end(3)];
    const kernels = [10, 20, 10, 20].map((dur) => event('Api', '/a/Relu&Relu&Relu', dur));
    const { nodes } = readTrace([...START, ...runs, ...kernels], 1);
    expect(nodes.map((node) => node.kernels)).toEqual([2, 0]);
  });

  it('rejects a trace without counted runs or with differing runs', () => {
    expect(() => readTrace([...START, ...RUNS[0]!], 1)).toThrow('no run');
    expect(() => readTrace([...START, relu(1), end(1), convolution(1), end(1)], 0)).toThrow('/a/Relu');
  });
});
