import { expect, it } from 'vitest';
import { contextOf, stageNamed } from '../../../test/compare/planted';
import type { Tensor } from '../tensor';
import type { LayerGraph } from './context';
import { confirmedRepair, type Repair } from './evidence';

const STAGE = stageNamed('linear2');
const GOLDEN: Tensor = { shape: STAGE.shape, data: STAGE.data };
const WRONG: Tensor = { shape: STAGE.shape, data: STAGE.data.map((value, index) => value + Math.sin(index)) };
const repair = (step: number): Repair => ({ changes: new Map(), text: `step ${step}`, values: { step } });

/** A graph that returns `unchanged`, and with each repair the next of `repaired`. */
function graphOf(unchanged: Tensor | null, repaired: readonly (Tensor | null)[]): LayerGraph {
  let next = 0;
  return {
    nodes: [],
    value: 'y',
    opset: 17,
    graphInputs: new Set(),
    constant: () => null,
    unchanged: () => Promise.resolve(unchanged),
    run: () => Promise.resolve(repaired[next++] ?? null),
    values: () => Promise.resolve(new Map()),
  };
}

const proven = (graph: LayerGraph, ...repairs: Repair[]) => confirmedRepair(contextOf(STAGE, WRONG, { graph }), 'epsilon', repairs);

it('reports the repair that returns the golden values, not others or those that the backend rejects', async () => {
  const cause = await proven(graphOf(WRONG, [null, WRONG, GOLDEN]), repair(1), repair(2), repair(3));
  expect(cause).toMatchObject({ id: 'epsilon', values: { step: 3 } });
  expect(cause!.evidence).toMatch(/^step 3 gives the golden values, with a max abs error of 0 instead of 1$/);
  expect(await proven(graphOf(WRONG, [null, WRONG]), repair(1), repair(2))).toBeNull();
});

it('reports the best of several that explain the error', async () => {
  const near = { shape: STAGE.shape, data: STAGE.data.map((value, index) => value + 0.01 * Math.sin(index)) };
  const nearer = { shape: STAGE.shape, data: STAGE.data.map((value, index) => value + 0.002 * Math.sin(index)) };
  expect((await proven(graphOf(WRONG, [near, nearer, near]), repair(1), repair(2), repair(3)))!.values.step).toBe(2);
});

it('reports nothing for a correct graph that another backend computes wrongly', async () => {
  expect(await proven(graphOf(GOLDEN, [GOLDEN]), repair(1))).toBeNull();
  expect(await proven(graphOf(null, [GOLDEN]), repair(1))).toBeNull();
});
