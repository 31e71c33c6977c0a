import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { encodeOnnx } from './model';
import {
  AttributeProto_AttributeType,
  SparseTensorProtoSchema,
  TensorProto_DataType as Type,
  TensorProtoSchema,
  type ModelProto,
  type TensorProto,
} from './onnx_pb';
import { build, float, ints, node, subgraph, tensor, text, weight } from '../../test/onnx/build';
import { runModel, valuesOf } from '../../test/onnx/run';
import { listWeights, lstmNodes, replaceWeights, weightsBetween, type Weight } from './weights';

const holding = (...initializer: TensorProto[]): ModelProto =>
  build({ input: [float('x', 1)], output: [float('y', 1)], initializer, node: [node('Relu', ['x'], ['y'])] });

function onlyWeight(model: ModelProto): Weight {
  const weights = listWeights(model);
  expect(weights).toHaveLength(1);
  return weights[0]!;
}

const raw = (dataType: Type, dims: number[], values: ArrayBufferView): TensorProto =>
  create(TensorProtoSchema, {
    name: 'w',
    dataType,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
  });

type TypedFields = Partial<Pick<TensorProto, 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data'>>;

describe('listWeights', () => {
  /** Each type in raw bytes and in its typed field. */
  const TYPES: [string, TensorProto, TypedFields, number[]][] = [
    ['float32', raw(Type.FLOAT, [2], Float32Array.of(1.5, -2)), { floatData: [1.5, -2] }, [1.5, -2]],
    ['float64', raw(Type.DOUBLE, [2], Float64Array.of(1.5, 1e300)), { doubleData: [1.5, 1e300] }, [1.5, Infinity]],
    ['float16', raw(Type.FLOAT16, [2], Uint16Array.of(0x3e00, 0xc000)), { int32Data: [0x3e00, 0xc000] }, [1.5, -2]],
    ['bfloat16', raw(Type.BFLOAT16, [2], Uint16Array.of(0x3fc0, 0xc000)), { int32Data: [0x3fc0, 0xc000] }, [1.5, -2]],
    ['int64', raw(Type.INT64, [2], BigInt64Array.of(-3n, 4n)), { int64Data: [-3n, 4n] }, [-3, 4]],
    ['uint64', raw(Type.UINT64, [2], BigUint64Array.of(3n, 4n)), { uint64Data: [3n, 4n] }, [3, 4]],
    ['int32', raw(Type.INT32, [2], Int32Array.of(-3, 4)), { int32Data: [-3, 4] }, [-3, 4]],
    ['uint32', raw(Type.UINT32, [1], Uint32Array.of(0x80000000)), { uint64Data: [0x80000000n] }, [0x80000000]],
    ['int16', raw(Type.INT16, [2], Int16Array.of(-3, 4)), { int32Data: [-3, 4] }, [-3, 4]],
    ['uint16', raw(Type.UINT16, [2], Uint16Array.of(3, 65535)), { int32Data: [3, 65535] }, [3, 65535]],
    ['int8', raw(Type.INT8, [3], Int8Array.of(-3, 4, -128)), { int32Data: [-3, 4, -128] }, [-3, 4, -128]],
    ['uint8', raw(Type.UINT8, [2], Uint8Array.of(3, 255)), { int32Data: [3, 255] }, [3, 255]],
    ['bool', raw(Type.BOOL, [2], Uint8Array.of(0, 1)), { int32Data: [0, 1] }, [0, 1]],
    // The first of a pair is in the lower half of the byte.
    ['int4', raw(Type.INT4, [3], Uint8Array.of(0xf7, 0x08)), { int32Data: [0xf7, 0x08] }, [7, -1, -8]],
    ['uint4', raw(Type.UINT4, [3], Uint8Array.of(0xf7, 0x08)), { int32Data: [0xf7, 0x08] }, [7, 15, 8]],
    ['int2', raw(Type.INT2, [4], Uint8Array.of(0b11100100)), { int32Data: [0b11100100] }, [0, 1, -2, -1]],
  ];

  it.each(TYPES)('reads %s from raw bytes and from typed fields', (dtype, tensorRaw, fields, values) => {
    const { name, dataType, dims, rawData } = tensorRaw;
    const inFields = create(TensorProtoSchema, { name, dataType, dims, ...fields });
    for (const stored of [tensorRaw, inFields]) {
      const found = onlyWeight(holding(stored));
      expect(found).toMatchObject({ name: 'w', dtype, shape: dims.map(Number), problem: null });
      expect(new Uint8Array(found.bytes())).toEqual(new Uint8Array(rawData));
      expect(Array.from(found.values()!)).toEqual(values);
    }
  });

  it('reads raw bytes at any alignment, and returns copies of the values', () => {
    const file = new Uint8Array(13);
    new DataView(file.buffer).setFloat32(5, 1.25, true);
    const found = onlyWeight(holding(raw(Type.FLOAT, [], file.subarray(5, 9))));
    expect(found.bytes().buffer).toBe(file.buffer);
    const values = found.values()!;
    values[0] = 7;
    expect(Array.from(found.values()!)).toEqual([1.25]);
  });

  it('reports bytes that do not match the shape, and returns no values', () => {
    const short = onlyWeight(holding(raw(Type.FLOAT, [2, 3], Float32Array.of(1, 2))));
    expect(short.problem).toBe('float32 (2, 3) needs 24 bytes, but the file has 8');
    expect(short.values()).toBeNull();
    expect(onlyWeight(holding(raw(Type.FLOAT, [1e9, 1e9], Float32Array.of(1)))).values()).toBeNull();
    expect(onlyWeight(holding(raw(Type.FLOAT, [0], Float32Array.of()))).problem).toBeNull();
  });

  it('widens packed floats of one byte or less', () => {
    const codes = onlyWeight(holding(raw(Type.FLOAT8E5M2, [2], Uint8Array.of(0x3c, 0xbe))));
    expect(Array.from(codes.values()!)).toEqual([1, -1.5]);
    // Two codes of a byte, the first in the lower bits: 0.5 and -6.
    expect(Array.from(onlyWeight(holding(raw(Type.FLOAT4E2M1, [2], Uint8Array.of(0xf1)))).values()!)).toEqual([0.5, -6]);
  });

  it('has no numbers for strings and complex numbers', () => {
    const strings = create(TensorProtoSchema, { dataType: Type.STRING, dims: [2n], stringData: [Uint8Array.of(65), Uint8Array.of(66)] });
    const found = onlyWeight(holding(strings));
    expect(found).toMatchObject({ dtype: 'string', problem: null });
    expect(Array.from(found.bytes())).toEqual([65, 66]);
    expect(found.values()).toBeNull();
    const complex = onlyWeight(holding(raw(Type.COMPLEX64, [1], Float32Array.of(1, 2))));
    expect(complex.problem).toBeNull();
    expect(complex.values()).toBeNull();
  });

  it('lists sparse weights as such', () => {
    const sparse = create(SparseTensorProtoSchema, { dims: [9n], values: weight('s', [1], [5]) });
    const model = build({ sparseInitializer: [sparse], node: [node('Relu', ['s'], ['y'])] });
    expect(onlyWeight(model)).toMatchObject({ name: 's', shape: [9], problem: 'sparse' });
    expect(onlyWeight(model).values()).toBeNull();
  });

  it('finds constants in every form, and weights of subgraphs', () => {
    const constant = (name: string, attribute: Parameters<typeof node>[3]) => node('Constant', [], [name], attribute);
    const model = build({
      initializer: [weight('w', [1], [1])],
      node: [
        constant('tensor', { attribute: [tensor('value', weight('other', [2], [2, 3]))] }),
        constant('number', { attribute: [{ name: 'value_float', type: AttributeProto_AttributeType.FLOAT, f: 4 }] }),
        constant('numbers', { attribute: [ints('value_ints', 5, 6, 7)] }),
        constant('words', { attribute: [text('value_string', 'none')] }),
        node('If', ['c'], ['y'], {
          attribute: [
            subgraph('then_branch', {
              initializer: [weight('inner', [1], [8])],
              node: [constant('deep', { attribute: [tensor('value', weight('', [], [9]))] })],
            }),
          ],
        }),
      ],
    });
    const found = listWeights(model).map(({ name, shape, values }) => [name, shape, Array.from(values() ?? [])]);
    expect(found).toEqual([
      ['w', [1], [1]],
      ['tensor', [2], [2, 3]],
      ['number', [], [4]],
      ['numbers', [3], [5, 6, 7]],
      ['inner', [1], [8]],
      ['deep', [], [9]],
    ]);
  });
});

describe('weightsBetween', () => {
  const model = build({
    input: [float('x', 1)],
    output: [float('z', 1)],
    initializer: [weight('shared', [1], [1]), weight('early', [1], [2]), weight('late', [1], [3]), weight('none', [1], [4])],
    node: [
      node('Constant', [], ['constant'], { attribute: [tensor('value', weight('', [], [5]))] }),
      node('Add', ['x', 'early'], ['a']),
      node('Add', ['a', 'shared'], ['b'], { name: 'first' }),
      node('Mul', ['b', 'constant'], ['c'], { name: 'second' }),
      node('Mul', ['c', 'shared'], ['y'], { name: 'third' }),
      node('If', ['y'], ['z'], {
        name: 'fourth',
        attribute: [subgraph('then_branch', { initializer: [weight('inner', [1], [6])], node: [node('Add', ['late', 'inner'], ['t'])] })],
      }),
    ],
  });
  const between = (inputs: string[], outputs: string[]) =>
    Object.fromEntries(weightsBetween(model, { inputs, outputs }).map(({ name, usedBy }) => [name, usedBy]));

  it('names the nodes that read each weight', () => {
    expect(between(['a'], ['y'])).toEqual({ shared: ['first', 'third'], constant: ['second'] });
    expect(between(['y'], ['z'])).toEqual({ late: ['fourth'], inner: ['fourth'] });
    expect(between(['a', 'shared'], ['b'])).toEqual({});
  });
});

describe('lstmNodes', () => {
  const lstm = (b: string, more: Parameters<typeof node>[3] = {}): ModelProto =>
    build({
      input: [float('x', 5, 1, 3)],
      output: [float('y', 5, 1, 1, 2)],
      initializer: [
        weight('w', [1, 8, 3], Array<number>(24).fill(0.1)),
        weight('r', [1, 8, 2], Array<number>(16).fill(0.1)),
        weight('b', [1, 16], Array<number>(16).fill(0.1)),
      ],
      node: [node('Identity', ['b'], ['computed']), node('LSTM', ['x', 'w', 'r', b], ['y'], more)],
    });
  const bounds = { inputs: ['x'], outputs: ['y'] };

  it('reads sizes and direction, with and without biases', () => {
    const expected = { node: 'LSTM_1', w: 'w', r: 'r', hidden: 2, directions: 1 };
    expect(lstmNodes(lstm(''), bounds)).toEqual([{ ...expected, b: null, direction: 'forward' }]);
    const backward = lstm('b', { attribute: [text('direction', 'reverse')] });
    expect(lstmNodes(backward, bounds)).toEqual([{ ...expected, b: 'b', direction: 'reverse' }]);
  });

  it('leaves out those whose weights are computed or fed', () => {
    expect(lstmNodes(lstm('computed'), bounds)).toEqual([]);
    expect(lstmNodes(lstm('b'), { inputs: ['x', 'w'], outputs: ['y'] })).toEqual([]);
  });
});

describe('replaceWeights', () => {
  const model = build({
    input: [float('x', 2)],
    output: [float('y', 2)],
    initializer: [
      create(TensorProtoSchema, { name: 'w', dataType: Type.FLOAT, dims: [2n], floatData: [1, 2] }),
      create(TensorProtoSchema, { name: 'count', dataType: Type.INT64, dims: [1n], int64Data: [1n] }),
    ],
    node: [node('Mul', ['x', 'w'], ['y'])],
  });

  it('replaces values in raw bytes or typed fields, even by views', async () => {
    const before = encodeOnnx(model);
    const replaced = replaceWeights(model, new Map([['w', Float32Array.of(9, 3, 5).subarray(1)]]));
    const { y } = await runModel(replaced, { x: { data: Float32Array.of(1, 10), shape: [2] } });
    expect(valuesOf(y)).toEqual([3, 50]);
    expect(encodeOnnx(model)).toEqual(before);
    expect(replaced.graph!.initializer[1]).toBe(model.graph!.initializer[1]);
  });

  it.each([
    ['an unknown name', 'v', 2, 'The closest are w'],
    ['another number of values', 'w', 3, '3 float32 values cannot replace w, float32 (2)'],
    ['another type', 'count', 1, 'int64'],
  ])('rejects %s', (_, name, length, words) => {
    const changes = new Map([[name, new Float32Array(length)]]);
    expect(() => replaceWeights(model, changes)).toThrow(
      expect.objectContaining({ code: 'options', message: expect.stringContaining(words) as string }) as Error,
    );
  });
});
