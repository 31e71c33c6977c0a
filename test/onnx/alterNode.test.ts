import { describe, expect, it } from 'vitest';
import { extract, tap } from '../../src/onnx/cut';
import { encodeOnnx, graphInfo } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { makeValueInfo } from '../../src/onnx/types';
import { alterNode } from './alterNode';
import { build, node } from './build';
import { CHAIN, X } from './chain';
import { runModel, valuesOf } from './run';


const names = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name);
const refusing = (words: string): Error =>
  expect.objectContaining({ code: 'options', message: expect.stringContaining(words) as string }) as Error;

describe('alterNode', () => {
  it('multiplies a value before any other node reads it', async () => {
    const before = encodeOnnx(CHAIN);
    const altered: ModelProto = alterNode(CHAIN, '/relu', 0.5);
    expect(encodeOnnx(CHAIN)).toEqual(before);
    const results = await runModel(tap(altered, ['/relu/y', '/add/y']), { x: X });
    expect(valuesOf(results['/relu/y'])).toEqual([0, 0, 0.5, 1]);
    expect(valuesOf(results['/add/y'])).toEqual([1, 1, 1.5, 2]);
  });

  it("alters a graph output, and a node twice", async () => {
    const twice = alterNode(alterNode(CHAIN, 'Neg_4', 2), 'Neg_4', 3);
    expect(valuesOf((await runModel(twice, { x: X }))['/z'])).toEqual([-12, -18, -48, -90]);
  });

  it('is part of every cut with the node, and other nodes keep their names', async () => {
    const altered = alterNode(CHAIN, '/mul', 10);
    const { model } = extract(altered, { inputs: ['/add/y'], outputs: ['/z'] });
    expect(names(graphInfo(model).nodes)).toEqual(expect.arrayContaining(['/mul', 'Neg_4']));
    expect(valuesOf((await runModel(model, { '/add/y': X }))['/z']).map(Math.abs)).toEqual([20, 0, 40, 100]);
  });

  it('rejects values known not to be float32, and missing nodes', () => {
    const whole = build({
      input: [makeValueInfo('x', { dtype: 'int64', shape: [1] })],
      output: [makeValueInfo('y', { dtype: 'int64', shape: [1] })],
      node: [node('Neg', ['x'], ['y'])],
    });
    expect(() => alterNode(whole, 'Neg_0', 2)).toThrow(refusing('y of type int64'));
    expect(() => alterNode(whole, 'Neg_1', 2)).toThrow(refusing('The closest are Neg_0'));
  });
});
