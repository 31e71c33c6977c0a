import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { namedFile } from './namedFile';

// As in the build for Node.
vi.mock(import('../src/util/host'), async () => (await import('../src/util/nodeHost')) as never);

test('a Blob that a thread receives gets the name of its file again', async () => {
  const file = await namedFile({ modelFile: new Blob(['weights']), modelName: 'mine.onnx' });
  expect(file).toMatchObject({ name: 'mine.onnx', size: 7 });
  expect(await file!.text()).toBe('weights');
});

test('a File, a Blob without a name, and no file stay the same', async () => {
  const [file, blob] = [new File(['a'], 'a.onnx'), new Blob(['b'])];
  expect(await namedFile({ modelFile: file, modelName: 'a.onnx' })).toBe(file);
  expect(await namedFile({ modelFile: blob, modelName: undefined })).toBe(blob);
  expect(await namedFile({ modelFile: undefined, modelName: 'a.onnx' })).toBeUndefined();
});

test('a path is opened, and read from the disk when its parts are needed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  try {
    const path = join(folder, 'mine.safetensors');
    writeFileSync(path, 'all weights');
    const file = await namedFile({ modelFile: path, modelName: undefined });
    expect(file).toMatchObject({ name: 'mine.safetensors', size: 11 });
    expect(await file!.slice(4, 7).text()).toBe('wei');
    // A copy in memory would still have the old content.
    writeFileSync(path, readFileSync(path, 'utf8').toUpperCase() + '!');
    await expect(file!.slice(0, 3).text()).rejects.toThrow();
    await expect(namedFile({ modelFile: join(folder, 'none.onnx'), modelName: undefined })).rejects.toMatchObject({ code: 'model-missing', problem: expect.stringContaining('none.onnx') as string });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
