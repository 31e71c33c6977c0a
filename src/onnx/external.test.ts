import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { build, float, node, weight } from '../../test/onnx/build';
import { attachExternalData, externalLocations, findAmong, tensorValues } from './tensors';
import { encodeOnnx, parseOnnx } from './model';
import { TensorProto_DataLocation, type ModelProto } from './onnx_pb';

/** y = x + w, with the two values of w in another file, after four unrelated bytes. */
function split(entries: Record<string, string>): ModelProto {
  const tensor = weight('w', [2], []);
  tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  tensor.externalData = Object.entries(entries).map(([key, value]) => ({ $typeName: 'onnx.StringStringEntryProto', key, value }));
  return build({ initializer: [tensor], node: [node('Add', ['x', 'w'], ['y'])], input: [float('x', 2)], output: [float('y', 2)] });
}

const DATA = new Uint8Array(Float32Array.of(9, 1.5, -2).buffer);
const PLACE = { location: 'm.onnx.data', offset: '4', length: '8' };

describe('attachExternalData', () => {
  it('reads the segment that the tensor names, as a view', () => {
    const model = split(PLACE);
    expect(externalLocations(model)).toEqual(['m.onnx.data']);
    attachExternalData(model, 'm.onnx', (location) => (location === 'm.onnx.data' ? DATA : undefined));
    const [tensor] = model.graph!.initializer;
    expect([...tensorValues(tensor!)!]).toEqual([1.5, -2]);
    expect(tensor!.rawData.buffer).toBe(DATA.buffer);
    expect(externalLocations(parseOnnx(encodeOnnx(model), 'm.onnx'))).toEqual([]);
  });

  it.each([
    ['a missing file', { ...PLACE, location: 'other.data' }, 'other.data, which was not found'],
    ['a segment beyond the end', { ...PLACE, offset: '8' }, 'which has 12'],
    ['a negative offset', { ...PLACE, offset: '-4' }, 'which has 12'],
    ['an offset that is not a number', { ...PLACE, offset: 'x' }, 'which has 12'],
    ['too few bytes', { ...PLACE, length: '4' }, 'needs 8 bytes'],
  ])('rejects %s', (_, entries, problem) => {
    const attach = (): void => {
      attachExternalData(split(entries), 'm.onnx', (location) => (location === 'm.onnx.data' ? DATA : undefined));
    };
    expect(attach).toThrow(VoxlaneError);
    expect(attach).toThrow(problem);
  });

  it("reads the export of PyTorch's newer exporter", () => {
    const at = (name: string): Uint8Array => new Uint8Array(readFileSync(join('src/compare/fixtures', name)));
    const files = [{ name: 'torch_dynamo.onnx.data', bytes: at('torch_dynamo.onnx.data') }];
    const dynamo = parseOnnx(at('torch_dynamo.onnx'), 'torch_dynamo.onnx', findAmong(files, 'torch_dynamo.onnx'));
    const script = parseOnnx(at('torch_script.onnx'), 'torch_script.onnx');
    const valuesOf = ({ graph }: ModelProto) => tensorValues(graph!.initializer.find(({ name }) => name === '0.weight')!);
    expect(valuesOf(dynamo)).toEqual(valuesOf(script));
  });
});

describe('findAmong', () => {
  const file = (name: string, byte: number) => ({ name, bytes: Uint8Array.of(byte) });

  it('uses the path from the folder of the graph, else the name alone', () => {
    const files = [file('a/w.data', 1), file('b/w.data', 2)];
    expect(findAmong(files, 'b/m.onnx')('w.data')).toEqual(Uint8Array.of(2));
    expect(findAmong([file('w.data', 3)], 'm.onnx')('folder/w.data')).toEqual(Uint8Array.of(3));
  });

  it('does not choose between two files of the same name', () => {
    expect(findAmong([file('a/w.data', 1), file('b/w.data', 2)], 'm.onnx')('w.data')).toBeUndefined();
  });
});
