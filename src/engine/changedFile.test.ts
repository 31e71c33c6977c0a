import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { shareable } from '../util/nodeHost';
import { openInput } from './openInput';
import { checkDiarizerOptions, checkRunOptions, withFiles } from './options';

// The Node build replaces the whole module.
vi.mock(import('../util/host'), async (original) => {
  const { baseAddress, shareable: shareableInNode } = await import('../util/nodeHost');
  return { ...(await original()), baseAddress, shareable: shareableInNode };
});

const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const path = join(folder, 'file');
const ADDRESS = 'https://example.org/';
const placed = { models: ADDRESS, runtime: ADDRESS, goldens: ADDRESS };

/** A Blob of a file that has changed since. */
async function changed(): Promise<Blob> {
  writeFileSync(path, 'content');
  const blob = await openAsBlob(path);
  writeFileSync(path, 'another content');
  return blob;
}

test('a file on disk is copied, with its name and type', async () => {
  writeFileSync(path, 'content');
  const shared = await shareable(await openAsBlob(path, { type: 'audio/wav' }), () => new VoxlaneError({ code: 'options', problem: '' }));
  expect(await structuredClone(shared).text()).toBe('content');
  expect(shared.type).toBe('audio/wav');
  const named = new File(['x'], 'model.onnx');
  expect(((await shareable(named, () => new VoxlaneError({ code: 'options', problem: '' }))) as File).name).toBe('model.onnx');
});

test('a model file that has changed is a typed error', async () => {
  const options = checkDiarizerOptions({ ...placed, modelFile: await changed() }, ADDRESS);
  await expect(withFiles(options)).rejects.toMatchObject({ code: 'model-missing', problem: 'The model file could not be read', details: expect.any(String) as string });
});

test('a recording that has changed is a typed error', async () => {
  const input = { kind: 'file', blob: await changed() } as const;
  const opened = openInput({} as never, input, checkRunOptions({}), { sampleRate: 16_000, windows: null, keepsStream: false, isLive: false });
  await expect(opened).rejects.toMatchObject({ code: 'audio-decode', problem: 'The file cannot be read at byte 0' });
});
