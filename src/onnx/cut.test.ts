import { describe, expect, it } from 'vitest';
import { extract, isolateNode, tap } from './cut';
import { encodeOnnx, graphInfo, valueNames } from './model';
import type { ModelProto } from './onnx_pb';
import { build, float, int, ints, node, weight } from '../../test/onnx/build';
import { CHAIN, X } from '../../test/onnx/chain';
import { runModel, shapesOf, valuesOf } from '../../test/onnx/run';

const opsOf = (model: ModelProto): string[] => graphInfo(model).nodes.map(({ op }) => op);
const weightsOf = (model: ModelProto): string[] => model.graph!.initializer.map(({ name }) => name);
const names = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name);
const refusing = (words: string, code = 'options'): Error =>
  expect.objectContaining({ code, message: expect.stringContaining(words) as string }) as Error;

/** Fails if `use` changes the model. */
function unaltered<T>(model: ModelProto, use: (model: ModelProto) => T): T {
  const before = encodeOnnx(model);
  const result = use(model);
  expect(encodeOnnx(model)).toEqual(before);
  return result;
}

describe('tap', () => {
  it('adds values, declared or not, after the outputs', async () => {
    const tapped = unaltered(CHAIN, (model) => tap(model, ['/relu/y', '/one', '/mul/y']));
    const results = await runModel(tapped, { x: X });
    expect(Object.keys(results)).toEqual(['/z', '/relu/y', '/one', '/mul/y']);
    expect(valuesOf(results['/relu/y'])).toEqual([0, 0, 1, 2]);
    expect(valuesOf(results['/one'])).toEqual([1]);
    expect(valuesOf(results['/mul/y'])).toEqual([2, 3, 8, 15]);
  });

  it('shares the weights', () => {
    expect(tap(CHAIN, ['/mul/y']).graph!.initializer[0]).toBe(CHAIN.graph!.initializer[0]);
  });

  it('duplicates no output, and no value that is named twice', () => {
    expect(names(tap(CHAIN, ['/z', '/add/y', '/add/y']).graph!.output)).toEqual(['/z', '/add/y']);
  });

  it('leaves out nodes that only other outputs need', async () => {
    const alone = unaltered(CHAIN, (model) => tap(model, ['/add/y'], { only: true }));
    expect(opsOf(alone)).toEqual(['Relu', 'Constant', 'Add']);
    expect(weightsOf(alone)).toEqual([]);
    const results = await runModel(alone, { x: X });
    expect(shapesOf(results)).toEqual({ '/add/y': [4] });
    expect(valuesOf(results['/add/y'])).toEqual([1, 1, 2, 3]);
  });

  it('names the closest matches of an unknown value', () => {
    expect(() => tap(CHAIN, ['add/y'])).toThrow(refusing('The closest are /add/y,'));
    expect(() => tap(CHAIN, ['/Relu/Y'])).toThrow(refusing('The closest are /relu/y,'));
    expect(() => tap(CHAIN, ['/relo'])).toThrow(refusing('The closest are /relu/y,'));
    expect(() => tap(CHAIN, ['x'])).toThrow(refusing('There is no x in the graph. Expected the output of a node'));
  });

  it('accepts every value of a graph with many types', async () => {
    const model = build({
      input: [float('x', null, 2)],
      output: [float('y', null, 2)],
      node: [
        node('Shape', ['x'], ['shape']),
        node('Cast', ['x'], ['half'], { attribute: [int('to', 10)] }),
        node('Cast', ['half'], ['truth'], { attribute: [int('to', 9)] }),
        node('Cast', ['half'], ['y'], { attribute: [int('to', 1)] }),
      ],
    });
    const values = valueNames(graphInfo(model));
    const results = await runModel(tap(model, values), { x: { data: Float32Array.of(0, 1), shape: [1, 2] } });
    expect(values.map((name) => results[name]?.type)).toEqual(['int64', 'float16', 'bool', 'float32']);
  });
});

describe('extract', () => {
  it('computes the same from given values as the whole graph', async () => {
    const { model, inputs } = unaltered(CHAIN, (whole) => extract(whole, { inputs: ['/add/y'], outputs: ['/z'] }));
    expect(inputs).toEqual(['/add/y']);
    expect(opsOf(model)).toEqual(['Mul', 'Neg']);
    expect(weightsOf(model)).toEqual(['w']);
    const results = await runModel(model, { '/add/y': { data: Float32Array.of(1, 1, 1, -1), shape: [4] } });
    expect(valuesOf(results['/z'])).toEqual([-2, -3, -4, 5]);
  });

  it('keeps the declared type of a value that becomes an input', () => {
    const { model } = extract(CHAIN, { inputs: ['/relu/y'], outputs: ['/add/y'] });
    expect(graphInfo(model).inputs).toEqual([{ name: '/relu/y', dtype: 'float32', shape: ['?'] }]);
    expect(model.graph!.valueInfo).toEqual([]);
  });

  it('assigns a new input the type from the caller, else float32 of any shape', () => {
    const types = new Map([['/add/y', { dtype: 'float16', shape: [null, 4] }]]);
    const bounds = { inputs: ['/add/y'], outputs: ['/mul/y'] };
    expect(graphInfo(extract(CHAIN, { ...bounds, types }).model).inputs).toEqual([
      { name: '/add/y', dtype: 'float16', shape: ['?', 4] },
    ]);
    expect(graphInfo(extract(CHAIN, bounds).model).inputs).toEqual([{ name: '/add/y', dtype: 'float32', shape: null }]);
  });

  it("keeps the graph's own inputs that it reaches, after those that were asked for", () => {
    const model = build({
      input: [float('a', 1), float('b', 1), float('c', 1)],
      output: [float('y', 1)],
      node: [node('Add', ['a', 'b'], ['ab']), node('Add', ['ab', 'c'], ['abc']), node('Add', ['abc', 'b'], ['y'])],
    });
    expect(extract(model, { inputs: ['abc', 'ab'], outputs: ['y'] }).inputs).toEqual(['abc', 'b']);
    expect(extract(model, { inputs: ['ab'], outputs: ['y'] }).inputs).toEqual(['ab', 'b', 'c']);
    expect(extract(model, { inputs: [], outputs: ['ab'] }).inputs).toEqual(['a', 'b']);
    expect(extract(model, { inputs: ['b', 'a'], outputs: ['ab'] }).inputs).toEqual(['b', 'a']);
  });

  it('accepts a weight as an input if requested', async () => {
    const { model, inputs } = extract(CHAIN, { inputs: ['/add/y', 'w'], outputs: ['/mul/y'] });
    expect(inputs).toEqual(['/add/y', 'w']);
    expect(weightsOf(model)).toEqual([]);
    const results = await runModel(model, { '/add/y': X, w: X });
    expect(valuesOf(results['/mul/y'])).toEqual([1, 0, 1, 4]);
  });

  it('feeds one output of a node and computes the other', async () => {
    const split = build({
      input: [float('x', 4)],
      output: [float('y', 2)],
      node: [
        node('Split', ['x'], ['left', 'right'], { attribute: [int('axis', 0)] }),
        node('Add', ['left', 'right'], ['y']),
      ],
    });
    const { model, inputs } = extract(split, { inputs: ['left'], outputs: ['y'] });
    expect(inputs).toEqual(['left', 'x']);
    const results = await runModel(model, { x: X, left: { data: Float32Array.of(10, 20), shape: [2] } });
    expect(valuesOf(results.y)).toEqual([11, 22]);
  });

  it('keeps weights among the inputs of a model of format version 3, but does not require them', async () => {
    const old = build(
      {
        input: [float('x', null), float('w', 1)],
        output: [float('y', null)],
        initializer: [weight('w', [1], [3])],
        node: [node('Relu', ['x'], ['r']), node('Mul', ['r', 'w'], ['y'])],
      },
      { irVersion: 3n, opsetImport: [{ domain: '', version: 8n }] },
    );
    const { model, inputs } = extract(old, { inputs: ['r'], outputs: ['y'] });
    expect(inputs).toEqual(['r']);
    expect(names(model.graph!.input)).toEqual(['r', 'w']);
    expect(valuesOf((await runModel(model, { r: X })).y)).toEqual([-3, 0, 3, 6]);
  });

  it('sorts nodes if the file does not', async () => {
    const shuffled = build({
      input: [float('x', null)],
      output: [float('y', null)],
      node: [node('Neg', ['r'], ['y']), node('Relu', ['x'], ['r'])],
    });
    const { model } = extract(shuffled, { inputs: [], outputs: ['y'] });
    expect(model.graph!.node.map(({ opType }) => opType)).toEqual(['Relu', 'Neg']);
    expect(valuesOf((await runModel(model, { x: X })).y).map(Math.abs)).toEqual([0, 0, 1, 2]);
  });

  it('keeps the names of nodes, including assigned names', () => {
    const { model } = extract(CHAIN, { inputs: ['/mul/y'], outputs: ['/z'] });
    // Compares whole objects: a copied node must keep implicit values too, such as its domain.
    const last = graphInfo(CHAIN).nodes.at(-1)!;
    expect(graphInfo(model).nodes).toEqual([{ ...last, index: 0 }]);
  });

  it.each([
    ['an output that is an input', ['/add/y'], ['/add/y'], 'is both an input and an output'],
    ['an unknown input', ['/ad/y'], ['/z'], 'The closest are /add/y'],
    ['an unknown output', [], ['/zz'], 'The closest are /z'],
    ['an output that no node computes', [], ['w'], 'the output of a node of the graph'],
  ])('rejects %s', (_, inputs, outputs, words) => {
    expect(() => extract(CHAIN, { inputs, outputs })).toThrow(refusing(words));
  });

  it('rejects a graph that reads a value without a source', () => {
    const broken = build({ node: [node('Relu', ['nowhere'], ['y'])] });
    expect(() => extract(broken, { inputs: [], outputs: ['y'] })).toThrow(refusing('nowhere', 'model-invalid'));
  });
});

describe('isolateNode', () => {
  it('includes constants and weights, and lists each other input once', async () => {
    const add = unaltered(CHAIN, (model) => isolateNode(model, '/add'));
    expect(add.inputs).toEqual(['/relu/y']);
    expect(opsOf(add.model)).toEqual(['Constant', 'Add']);
    expect(valuesOf((await runModel(add.model, { '/relu/y': X }))['/add/y'])).toEqual([0, 1, 2, 3]);
    const square = build({ input: [float('x', 1)], node: [node('Mul', ['x', 'x'], ['y'])] });
    expect(isolateNode(square, 'Mul_0').inputs).toEqual(['x']);
  });

  it('leaves out omitted optional inputs and outputs', async () => {
    const model = build({
      input: [float('x', 1, 1, 4)],
      output: [float('y', 1, 1, 2)],
      node: [
        node('Relu', ['x'], ['r']),
        node('Clip', ['r', '', 'limit'], ['c']),
        node('MaxPool', ['c'], ['y', ''], { attribute: [ints('kernel_shape', 2), ints('strides', 2)] }),
      ],
      initializer: [weight('limit', [], [1.5])],
    });
    const clip = isolateNode(model, 'Clip_1');
    expect(clip.inputs).toEqual(['r']);
    const pool = isolateNode(model, 'MaxPool_2');
    expect(names(pool.model.graph!.output)).toEqual(['y']);
    const given = { data: X.data, shape: [1, 1, 4] };
    expect(valuesOf((await runModel(clip.model, { r: given })).c)).toEqual([-1, 0, 1, 1.5]);
    expect(valuesOf((await runModel(pool.model, { c: given })).y)).toEqual([0, 2]);
  });

  it('names the closest matches of an unknown node', () => {
    expect(() => isolateNode(CHAIN, '/ad')).toThrow(refusing('The closest are /add,'));
  });
});
