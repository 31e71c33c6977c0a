import { create } from '@bufbuild/protobuf';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { encodeOnnx, graphInfo, parseOnnx, valueNames } from './model';
import {
  AttributeProto_AttributeType,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from './onnx_pb';
import { build, float, int, ints, node, subgraph, tensor, text, weight } from '../../test/onnx/build';
import { encodeHeader } from '../weights/safetensorsHeader';
import { makeValueInfo } from './types';

/** (batch, 3) times 2. */
const DOUBLING = build({
  input: [makeValueInfo('x', { dtype: 'float32', shape: [null, 3] })],
  output: [float('y', null, 3)],
  initializer: [weight('two', [], [2])],
  node: [node('Mul', ['x', 'two'], ['y'])],
});

const bytesOf = (string: string): Uint8Array => new TextEncoder().encode(string);

function refusalOf(bytes: Uint8Array): VoxlaneError {
  try {
    parseOnnx(bytes, 'file.onnx');
  } catch (error) {
    expect(error).toBeInstanceOf(VoxlaneError);
    expect(error).toMatchObject({ code: 'model-invalid' });
    return error as VoxlaneError;
  }
  throw new Error('it was accepted as a model');
}

describe('parseOnnx', () => {
  it('reads the output of encodeOnnx', () => {
    const bytes = encodeOnnx(DOUBLING);
    expect(encodeOnnx(parseOnnx(bytes, 'file.onnx'))).toEqual(bytes);
    expect(graphInfo(parseOnnx(bytes, 'file.onnx'))).toEqual(graphInfo(DOUBLING));
  });

  it('reads a view into a larger buffer', () => {
    const bytes = encodeOnnx(DOUBLING);
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 5);
    expect(graphInfo(parseOnnx(larger.subarray(5, 5 + bytes.length), 'file.onnx'))).toEqual(graphInfo(DOUBLING));
  });

  it('keeps fields that a newer version of the format has', () => {
    // Field 1000, a varint of 1, after everything else.
    const bytes = new Uint8Array([...encodeOnnx(DOUBLING), 0xc0, 0x3e, 1]);
    expect(encodeOnnx(parseOnnx(bytes, 'file.onnx'))).toEqual(bytes);
  });

  it('rejects a file truncated anywhere', () => {
    const bytes = encodeOnnx(DOUBLING);
    const lengths = [...bytes.keys()].filter((length) => length > 0);
    for (const length of lengths) refusalOf(bytes.subarray(0, length));
    const shipped = readFileSync('models/segmentation-3.0/model.onnx');
    expect(refusalOf(shipped.subarray(0, 1_000_000)).problem).toContain('truncated after 1000000 bytes');
  });

  it.each([
    ['an empty file', new Uint8Array(), 'is empty'],
    ['an HTML page', bytesOf('<!doctype html>\n<html><head><title>404</title></head></html>'), '<!doctype html>'],
    ["git's pointer to a large file", bytesOf('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a'), 'git-lfs'],
    ['a file in safetensors', encodeHeader([{ name: 'w', type: 'float32', shape: [2] }], {}), 'safetensors'],
    ['a file of ONNX Runtime', new Uint8Array([24, 0, 0, 0, ...bytesOf('ORTM'), 0, 0, 0, 0]), '.ort'],
    ['a zip file, as PyTorch writes', new Uint8Array([...bytesOf('PK'), 3, 4, 0, 0, 8, 8, 0, 0, 0, 0]), 'cannot be read'],
    ['random bytes', Uint8Array.from({ length: 4096 }, (_, i) => (i * i * 31 + 7) % 251), 'file.onnx'],
    ['zeros', new Uint8Array(4096), 'file.onnx'],
    ['a model without nodes', encodeOnnx(build({ input: [float('x', 1)], output: [float('x', 1)] })), 'has no nodes'],
    ['a model without operators', encodeOnnx(build({ node: [node('Relu', ['x'], ['y'])] }, { opsetImport: [] })), 'states no operator version'],
  ])('rejects %s', (_, bytes, problem) => {
    expect(refusalOf(bytes).message).toContain(problem);
  });

  const external = create(TensorProtoSchema, {
    name: 'big.weight',
    dataType: TensorProto_DataType.FLOAT,
    dims: [1000n],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [{ key: 'location', value: 'model.onnx.data' }],
  });

  it.each([
    ['an initializer', build({ initializer: [external], node: [node('Relu', ['big.weight'], ['y'])] })],
    ['a constant', build({ node: [node('Constant', [], ['y'], { attribute: [tensor('value', external)] })] })],
    [
      'a branch',
      build({
        node: [
          node('If', ['c'], ['y'], { attribute: [subgraph('then_branch', { initializer: [external], node: [] })] }),
        ],
      }),
    ],
  ])('rejects weights in another file, of %s', (_, model) => {
    const refusal = refusalOf(encodeOnnx(model));
    expect(refusal.problem).toContain('big.weight in model.onnx.data');
    expect(refusal.remedy).toContain('open both files together');
  });
});

describe('graphInfo', () => {
  it('distinguishes inputs from weights that are listed among them, as before format version 4', () => {
    const model = build({
      input: [float('x', 1), float('w', 1)],
      output: [float('y', 1)],
      initializer: [weight('w', [1], [3])],
      node: [node('Mul', ['x', 'w'], ['y'])],
    });
    expect(graphInfo(model).inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('reads types and shapes: numbers, named and unnamed axes, none, and values that are not tensors', () => {
    const named = create(ValueInfoProtoSchema, {
      name: 'named',
      type: {
        value: {
          case: 'tensorType',
          value: {
            elemType: TensorProto_DataType.INT64,
            shape: { dim: [{ value: { case: 'dimParam', value: 'batch' } }, { value: { case: 'dimValue', value: 7n } }, {}] },
          },
        },
      },
    });
    const list = create(ValueInfoProtoSchema, { name: 'list', type: { value: { case: 'sequenceType', value: {} } } });
    const model = build({
      input: [named, makeValueInfo('open', { dtype: 'float16' }), makeValueInfo('single', { dtype: 'bool', shape: [] })],
      output: [list, create(ValueInfoProtoSchema, { name: 'untold' })],
      node: [node('Any', ['named', 'open', 'single'], ['list', 'untold'])],
    });
    expect(graphInfo(model).inputs).toEqual([
      { name: 'named', dtype: 'int64', shape: ['batch', 7, '?'] },
      { name: 'open', dtype: 'float16', shape: null },
      { name: 'single', dtype: 'bool', shape: [] },
    ]);
    expect(graphInfo(model).outputs).toEqual([
      { name: 'list', dtype: 'sequence', shape: null },
      { name: 'untold', dtype: '?', shape: null },
    ]);
    expect(valueNames(graphInfo(model))).toEqual(['untold']);
  });

  it('assigns every node a unique name', () => {
    const model = build({
      node: [
        node('Relu', ['x'], ['a'], { name: 'same' }),
        node('Relu', ['a'], ['b'], { name: 'same' }),
        node('Relu', ['b'], ['c']),
        node('Relu', ['c'], ['d'], { name: 'Relu_2' }),
      ],
    });
    const names = graphInfo(model).nodes.map(({ name }) => name);
    expect(names[0]).toBe('same');
    expect(names[2]).toBe('Relu_2');
    expect(new Set(names).size).toBe(4);
  });

  it('sorts nodes by their inputs, including those of subgraphs', () => {
    const branch = subgraph('then_branch', { node: [node('Relu', ['late'], ['r'])], output: [float('r', 1)] });
    const model = build({
      input: [float('x', 1), makeValueInfo('c', { dtype: 'bool', shape: [] })],
      node: [
        node('If', ['c'], ['y'], { attribute: [branch] }),
        node('Relu', ['middle'], ['late']),
        node('Relu', ['x', ''], ['middle', '']),
      ],
    });
    const { nodes } = graphInfo(model);
    expect(nodes.map(({ index }) => index)).toEqual([2, 1, 0]);
    expect(nodes[0]).toMatchObject({ inputs: ['x', ''], outputs: ['middle'], captured: [] });
    expect(nodes[2]).toMatchObject({ op: 'If', inputs: ['c'], captured: ['late'] });
    expect(valueNames(graphInfo(model))).toEqual(['middle', 'late', 'y']);
  });

  it('keeps the file order if it is topological', () => {
    const model = build({
      node: [node('Relu', ['x'], ['a']), node('Relu', ['x'], ['b']), node('Relu', ['a'], ['c']), node('Add', ['b', 'c'], ['d'])],
    });
    expect(graphInfo(model).nodes.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  it('accepts a chain of 50,000 nodes in the wrong order', () => {
    const count = 50_000;
    const chain = Array.from({ length: count }, (_, i) => node('Relu', [`v${i}`], [`v${i + 1}`])).reverse();
    const { nodes } = graphInfo(build({ node: chain }));
    expect(nodes[0]!.inputs).toEqual(['v0']);
    expect(nodes.at(-1)!.outputs).toEqual([`v${count}`]);
  });

  it.each([
    ['depend on each other', [node('Relu', ['b'], ['a']), node('Relu', ['a'], ['b'])]],
    ['read their own output', [node('Add', ['x', 'a'], ['a'])]],
    ['output the same value twice', [node('Relu', ['x'], ['a']), node('Relu', ['x'], ['a'])]],
  ])('rejects nodes that %s', (_, nodes) => {
    expect(() => graphInfo(build({ node: nodes }))).toThrow(expect.objectContaining({ code: 'model-invalid' }) as Error);
  });

  it('writes attributes as short text', () => {
    const attribute = [
      { name: 'alpha', type: AttributeProto_AttributeType.FLOAT, f: Math.fround(0.1) },
      int('axis', -1),
      ints('pads', 1, 2),
      text('mode', 'reflect'),
      ints('many', ...Array.from({ length: 40 }, (_, i) => i)),
      tensor('value', weight('', [2, 3], [0, 0, 0, 0, 0, 0])),
      subgraph('body', { node: [node('Relu', ['x'], ['y'])] }),
    ];
    const [info] = graphInfo(build({ node: [node('Any', [], ['y'], { attribute })] })).nodes;
    const { many, ...others } = info!.attributes;
    expect(others).toEqual({
      alpha: '0.1',
      axis: '-1',
      pads: '[1, 2]',
      mode: 'reflect',
      value: 'float32 (2, 3)',
      body: 'graph of 1 node',
    });
    expect(many).toMatch(/^\[0, 1, .*… 40 in all\]$/);
  });

  it("names operator domains and the file's writer", () => {
    const opsetImport = [
      { domain: 'ai.onnx', version: 13n },
      { domain: 'com.microsoft', version: 1n },
    ];
    const model = build({ node: [node('Relu', ['x'], ['y'])] }, { opsetImport, producerVersion: '1.2' });
    expect(graphInfo(model)).toMatchObject({ opset: 13, domains: ['com.microsoft'], producer: 'test 1.2' });
  });
});
