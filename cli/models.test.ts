import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { recordOutput } from '../test/outputMocks';
import { presetsWith } from '../test/app/presets';
import type { PresetInfo, StoredModelInfo } from '../src/index';
import { models } from './models';

const stored = (id: string, file: string, bytes: number, license: string | null): StoredModelInfo => ({ id, file, bytes, license, storedAt: Date.UTC(2026, 10, 30, 9, 5) });
const FILES = [
  stored('nemotron-3-diarization', 'mine.safetensors', 397_000_000, null),
  stored('nemotron-3-diarization', 'model.int8.safetensors', 99_600_000, 'OpenMDW-1.1'),
  stored('wespeaker-resnet34-lm', 'voxceleb_resnet34_LM.onnx', 26_500_000, 'CC-BY-4.0'),
];

afterEach(() => { vi.restoreAllMocks(); });

/** Runs the command with a library that stores these files. */
const run = (files: readonly StoredModelInfo[], ...args: string[]) => runWith(presetsWith(false), files, ...args);

async function runWith(presets: readonly PresetInfo[], files: readonly StoredModelInfo[], ...args: string[]): Promise<{ readonly stdout: string; readonly stderr: string; readonly left: readonly StoredModelInfo[] }> {
  let left = files;
  const output = recordOutput();
  const library = {
    presetInfo: () => Promise.resolve(presets),
    storedModels: () => Promise.resolve(left),
    deleteStoredModel: (id: string) => {
      left = left.filter((file) => file.id !== id);
      presets = presets.map((info) => (info.model === id ? { ...info, receivedBytes: 0 } : info));
      return Promise.resolve();
    },
  };
  expect(await models(args, () => Promise.resolve(library))).toBe(0);
  return { ...output, left };
}

test('stored files are listed with their sizes and the total', async () => {
  expect((await run(FILES)).stdout).toBe(
    [
      'nemotron-3-diarization  mine.safetensors           397.0 MB  no license   2026-11-30T09:05',
      'nemotron-3-diarization  model.int8.safetensors     99.6 MB   OpenMDW-1.1  2026-11-30T09:05',
      'wespeaker-resnet34-lm   voxceleb_resnet34_LM.onnx  26.5 MB   CC-BY-4.0    2026-11-30T09:05',
      '523.1 MB in all',
      '',
    ].join('\n'),
  );
  expect((await run([])).stdout).toBe('no stored models\n');
  expect(JSON.parse((await run(FILES, '--json')).stdout)).toEqual(FILES.map((file) => ({ ...file, receivedBytes: file.bytes })));
});

test('--delete deletes all files of a model, and keeps the others', async () => {
  const { stdout, stderr, left } = await run(FILES, '--delete', 'nemotron-3-diarization', '--delete', 'nemotron-3-diarization');
  expect(left).toEqual([FILES[2]]);
  expect(stderr).toBe('deleted nemotron-3-diarization: 2 files, 496.6 MB\n');
  expect(stdout).toContain('26.5 MB in all');
});

test('an interrupted download is listed, and can be deleted', async () => {
  const presets = presetsWith(false).map((info) => (info.id === 'nemotron' ? { ...info, bytes: 397_000_000, receivedBytes: 300_000_000 } : info));
  expect((await runWith(presets, [])).stdout).toBe([
    'nemotron-3  incomplete, of 397.0 MB  300.0 MB  OpenMDW-1.1',
    '300.0 MB in all',
    'nemotron-3 is incomplete: diarize with --preset nemotron continues the download, models --delete nemotron-3 deletes it',
    '',
  ].join('\n'));
  const begun = { id: 'nemotron-3', file: null, bytes: 397_000_000, receivedBytes: 300_000_000, license: 'OpenMDW-1.1', storedAt: null, preset: 'nemotron' };
  expect(JSON.parse((await runWith(presets, FILES.slice(0, 1), '--json')).stdout)).toEqual([{ ...FILES[0], receivedBytes: FILES[0]!.bytes }, begun]);
  const { stdout, stderr } = await runWith(presets, [], '--delete', 'nemotron-3');
  expect(stderr).toBe('deleted nemotron-3: 1 file, 300.0 MB\n');
  expect(stdout).toBe('no stored models\n');
});

test('a cache folder that cannot be read is an error, and not an empty list', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const load = vi.fn();
  try {
    writeFileSync(join(folder, 'file'), '');
    vi.stubEnv('VOXLANE_CACHE', join(folder, 'file'));
    await expect(models([], load)).rejects.toThrow(`the cache folder ${join(folder, 'file')} cannot be read: `);
    writeFileSync(join(folder, 'models'), 'a file in place of the folder');
    vi.stubEnv('VOXLANE_CACHE', folder);
    await expect(models([], load)).rejects.toThrow('Set VOXLANE_CACHE to another folder');
    expect(load).not.toHaveBeenCalled();
    vi.stubEnv('VOXLANE_CACHE', join(folder, 'none'));
    expect((await run([])).stdout).toBe('no stored models\n');
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

test('--delete of a model without stored files deletes nothing', async () => {
  const deleted = vi.fn();
  const load = (files: readonly StoredModelInfo[]) => () => Promise.resolve({ presetInfo: () => Promise.resolve([]), storedModels: () => Promise.resolve(files), deleteStoredModel: deleted });
  await expect(models(['--delete', 'wespeaker-resnet34-lm', '--delete', 'nemotron-3'], load(FILES))).rejects.toThrow('--delete is nemotron-3, which has no stored files');
  await expect(models(['--delete', 'wespeaker-resnet34'], load(FILES))).rejects.toThrow('Did you mean wespeaker-resnet34-lm?');
  await expect(models(['--delete', 'x'], load([]))).rejects.toThrow('No models are stored');
  expect(deleted).not.toHaveBeenCalled();
});
