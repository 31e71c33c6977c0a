import { create, toBinary } from '@bufbuild/protobuf';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/compare/failure';
import { TensorProto_DataType, TensorProtoSchema } from '../../onnx/onnx_pb';
import type { NodeInfo } from '../../onnx/model';
import type { GoldenBundle } from './bundle';
import type { NamedFile } from './goldenFiles';
import { hasOnnxTest, readOnnxTest, unpackOnnxTests } from './onnxTest';

const value = (name: string, dtype = 'float32') => ({ name, dtype, shape: null });
const GRAPH = { name: 'g', inputs: [value('x'), value('ids', 'int64')], outputs: [value('y'), value('list', 'sequence')], nodes: [] };

type Parts = Parameters<typeof create<typeof TensorProtoSchema>>[1];
const tensor = (path: string, parts: Parts): NamedFile => ({ name: path, bytes: toBinary(TensorProtoSchema, create(TensorProtoSchema, parts)) });
const floats = (path: string, name: string, values: number[]): NamedFile =>
  tensor(path, { name, dims: [BigInt(values.length)], dataType: TensorProto_DataType.FLOAT, floatData: values });

const X = floats('t/test_data_set_0/input_0.pb', 'x', [1, 2]);
const Y = floats('t/test_data_set_0/output_0.pb', 'y', [3]);
const ids = (parts: Parts): NamedFile => tensor('t/test_data_set_0/input_1.pb', { dims: [1n], dataType: TensorProto_DataType.INT64, ...parts });

const namesOf = ({ inputs, stages }: GoldenBundle): string[] => [...inputs, ...stages].map(({ name }) => name);

describe('readOnnxTest', () => {
  it('reads inputs and outputs by name, else by position, and keeps their types', () => {
    const bundle = readOnnxTest([Y, ids({ int64Data: [2n ** 40n] }), X], GRAPH);
    expect(namesOf(bundle)).toEqual(['x', 'ids', 'y']);
    expect(bundle.inputs[1]).toMatchObject({ shape: [1], storedAs: 'int64' });
    expect(bundle.inputs[1]!.exact).toBeUndefined();
    expect([...bundle.inputs[1]!.data]).toEqual([2 ** 40]);
    expect(readOnnxTest([Y, ids({ int64Data: [2n ** 40n + 1n] })], GRAPH).inputs[0]!.exact).toEqual(BigInt64Array.of(2n ** 40n + 1n));
    expect(bundle.stages[0]).toMatchObject({ value: 'y', axes: ['axis0'] });
  });

  it('leaves out an output that is a sequence, with a note', () => {
    const list = { name: 't/test_data_set_0/output_1.pb', bytes: Uint8Array.of(1, 2, 3) };
    const { stages, notes } = readOnnxTest([X, Y, list], GRAPH);
    expect(stages.map(({ name }) => name)).toEqual(['y']);
    expect(notes).toEqual([expect.stringMatching(/^list is left out.*sequence/)]);
  });

  it('reads the first of several data sets, with a note', () => {
    const other = floats('t/test_data_set_1/output_0.pb', 'y', [9]);
    const { stages, notes } = readOnnxTest([other, Y], GRAPH);
    expect([...stages[0]!.data]).toEqual([3]);
    expect(notes).toEqual(['Data set 0 of 0, 1 is compared']);
  });

  it('widens bfloat16 and float8', () => {
    const half = (dataType: TensorProto_DataType, code: number): number =>
      readOnnxTest([tensor('test_data_set_0/output_0.pb', { dims: [1n], dataType, int32Data: [code] })], GRAPH).stages[0]!.data[0]!;
    expect(half(TensorProto_DataType.BFLOAT16, 0x3fc0)).toBe(1.5);
    expect(half(TensorProto_DataType.FLOAT8E4M3FN, 0x3c)).toBe(1.5);
  });

  it('reads an empty tensor', () => {
    const empty = tensor('test_data_set_0/output_0.pb', { name: 'y', dims: [0n, 4n], dataType: TensorProto_DataType.FLOAT });
    expect(readOnnxTest([empty], GRAPH).stages[0]).toMatchObject({ shape: [0, 4], data: new Float32Array(0) });
  });

  it.each<[string, NamedFile[], RegExp]>([
    ['no output', [X], /No output in test_data_set_0/],
    ['an output too many', [Y, floats('test_data_set_0/output_7.pb', '', [1])], /output_7\.pb is output 7, but the graph has 2 outputs/],
    ['two files of one input', [X, ids({ name: 'x', int64Data: [1n] }), Y], /Two files of test_data_set_0 belong to the input x/],
    ['no protobuf', [{ name: 'test_data_set_0/output_0.pb', bytes: Uint8Array.of(255, 255) }], /not a serialized TensorProto/],
    ['text', [tensor('test_data_set_0/output_0.pb', { dims: [1n], dataType: TensorProto_DataType.STRING, stringData: [Uint8Array.of(65)] })], /values of the type string/],
    ['too few values', [tensor('test_data_set_0/output_0.pb', { dims: [3n], dataType: TensorProto_DataType.FLOAT, floatData: [1] })], /shape \(3\) of float32, which is 12 bytes, but holds 4/],
  ])('rejects %s', (_name, files, problem) => {
    const error = failureOf(() => readOnnxTest(files, GRAPH));
    expect(error.code).toBe('format');
    expect(error.problem).toMatch(problem);
  });

  it('rejects an input that is a sequence', () => {
    const reader = { name: 'n', op: 'SequenceAt', inputs: ['x'], outputs: ['y'] } as Partial<NodeInfo> as NodeInfo;
    const graph = { ...GRAPH, inputs: [value('x', 'sequence')], nodes: [reader] };
    expect(failureOf(() => readOnnxTest([X, Y], graph)).problem).toMatch(/input x \(t\/test_data_set_0\/input_0\.pb\) of SequenceAt has the type sequence/);
  });
});

describe('unpackOnnxTests', () => {
  it('unpacks a zip of a test, and keeps other zips', () => {
    const test = { name: 't.zip', bytes: zipSync({ 'model.onnx': Uint8Array.of(8), 'test_data_set_0/output_0.pb': Y.bytes }) };
    const bundle = { name: 'b.zip', bytes: zipSync({ 'manifest.json': Uint8Array.of(123, 125), 'test_data_set_0/output_0.pb': Y.bytes }) };
    const other = { name: 'o.zip', bytes: zipSync({ 'a.npy': Uint8Array.of(1) }) };
    const files = unpackOnnxTests([test, bundle, other]);
    expect(files.map(({ name }) => name)).toEqual(['model.onnx', 'test_data_set_0/output_0.pb', 'b.zip', 'o.zip']);
    expect(hasOnnxTest(files)).toBe(true);
  });
});
