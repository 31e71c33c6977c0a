import { expect, test } from 'vitest';
import { namedFile } from './namedFile';

test('a Blob that a thread receives gets the name of its file again', async () => {
  const file = namedFile({ modelFile: new Blob(['weights']), modelName: 'mine.onnx' });
  expect(file).toMatchObject({ name: 'mine.onnx', size: 7 });
  expect(await file!.text()).toBe('weights');
});

test('a File, a Blob without a name, and no file stay the same', () => {
  const [file, blob] = [new File(['a'], 'a.onnx'), new Blob(['b'])];
  expect(namedFile({ modelFile: file, modelName: 'a.onnx' })).toBe(file);
  expect(namedFile({ modelFile: blob, modelName: undefined })).toBe(blob);
  expect(namedFile({ modelFile: undefined, modelName: 'a.onnx' })).toBeUndefined();
});
