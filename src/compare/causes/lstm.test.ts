/** LSTM faults planted in the weights of the shipped segmentation model. ONNX Runtime runs its four LSTM nodes. */
import { describe, expect, it } from 'vitest';
import { StageGraph, type Changes } from '../../../test/compare/stageGraph';
import { expectCauses, stageNamed } from '../../../test/compare/planted';

const GOLDEN = stageNamed('lstm');
const STAGE = new StageGraph('segmentation-3.0', 'lstm', GOLDEN, { name: 'sincnet', tensor: stageNamed('sincnet') });
const LSTMS = STAGE.lstms;

/** The weights of some nodes, each changed by a function of its values and the number of equal groups in it. */
function changed(nodes: readonly number[], change: (values: Float32Array, numGroups: number) => Float32Array): Changes {
  return new Map(
    nodes.flatMap((node) => {
      const { w, r, b, directions } = LSTMS[node]!;
      // W and R hold gates per direction; B holds those of the input and those of the state.
      const groups = [[w, directions], [r, directions], [b!, 2 * directions]] as const;
      return groups.map(([name, numGroups]) => [name, change(STAGE.weights.get(name)!.values, numGroups)] as const);
    }),
  );
}

/** ONNX's blocks input, output, forget, cell, reordered to these letters. */
const inOrder = (letters: string) => (values: Float32Array, numGroups: number): Float32Array => {
  const block = values.length / (4 * numGroups);
  return values.map((_, index) => {
    const group = Math.floor(index / (4 * block));
    const gate = Math.floor(index / block) % 4;
    return values[(group * 4 + 'iofc'.indexOf(letters[gate]!)) * block + (index % block)]!;
  });
};

const swapped = (values: Float32Array): Float32Array => {
  const half = values.length / 2;
  return values.map((_, index) => values[(index + half) % values.length]!);
};

const ALL = [0, 1, 2, 3];

it('has four bidirectional LSTM nodes that return the golden values', async () => {
  expect(LSTMS.map(({ direction, hidden }) => [direction, hidden])).toEqual(ALL.map(() => ['bidirectional', 128]));
  const { data } = await STAGE.run(new Map());
  // Float32 rounding; measured at 1e-6.
  expect(Math.max(...data.map((value, index) => Math.abs(value - GOLDEN.data[index]!)))).toBeLessThan(1e-5);
});

describe('lstm-gates', () => {
  it("finds PyTorch's order in all nodes, in one run", async () => {
    const context = await STAGE.planted(changed(ALL, inOrder('ifco')));
    const cause = await expectCauses(context, 'lstm-gates');
    expect(cause.evidence).toContain('all 4 LSTM nodes are in the order i, f, c, o (as in PyTorch and Keras)');
    expect(cause.values).toMatchObject({ order: 'ifco', numRuns: 1 });
  });

  it.each(['icof', 'ofic'])('finds the order %s', async (order) => {
    const cause = await expectCauses(await STAGE.planted(changed(ALL, inOrder(order))), 'lstm-gates');
    expect(cause.values.order).toBe(order);
  });

  it('finds the one node that has it', async () => {
    const cause = await expectCauses(await STAGE.planted(changed([1], inOrder('ifco'))), 'lstm-gates');
    expect(cause.evidence).toContain(`the LSTM node ${LSTMS[1]!.node} are in the order i, f, c, o`);
    // All four, and the first alone, were tried in PyTorch's order before it.
    expect(cause.values).toMatchObject({ nodes: LSTMS[1]!.node, numRuns: 3 });
  });

  it('reports nothing if other weights are wrong', async () => {
    const spoilt = (values: Float32Array): Float32Array => values.map((value, index) => value * (1 + 0.5 * Math.sin(index)));
    const context = await STAGE.planted(changed(ALL, spoilt));
    // One node only, because each order of each node is a run.
    await expectCauses({ ...context, layer: { ...context.layer!, lstms: LSTMS.slice(0, 1) } });
  });
});

describe('lstm-direction', () => {
  it('finds the weights of the directions swapped, in all nodes or in one', async () => {
    const all = await expectCauses(await STAGE.planted(changed(ALL, swapped)), 'lstm-direction');
    expect(all.evidence).toContain('the weights of the two directions of all 4 LSTM nodes are swapped');
    const one = await expectCauses(await STAGE.planted(changed([2], swapped)), 'lstm-direction');
    expect(one.values).toMatchObject({ swapped: 'weights', nodes: LSTMS[2]!.node });
  });
});

describe('zero-weights', () => {
  it.each(['w', 'r'] as const)('names the LSTM whose %s was not loaded, without trying orders', async (part) => {
    const name = LSTMS[1]![part];
    const context = await STAGE.planted(new Map([[name, new Float32Array(STAGE.weights.get(name)!.values.length)]]));
    const before = STAGE.numRuns;
    const cause = await expectCauses(context, 'zero-weights');
    expect(cause.values).toMatchObject({ weight: name, node: LSTMS[1]!.node });
    expect(STAGE.numRuns).toBe(before);
  });
});
