import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type * as Library from '../src/index';
import { blobSource } from '../src/store/byteSource';
import { VoxlaneError } from '../src/util/errors';
import { openSafetensors } from '../src/weights/safetensors';
import { errorLine, partsOf } from './errorLine';
import { aboutModelFile, namingModelFile } from './modelErrors';
import { NodeFileEngine } from './nodeFileEngine';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-model-'));
const path = join(folder, 'broken.safetensors');
writeFileSync(path, 'short');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Like the library: errors have the name without the folder. */
const create = async ({ modelFile }: { readonly modelFile?: string }): Promise<never> => {
  await openSafetensors(blobSource(await openAsBlob(modelFile!), basename(modelFile!)));
  throw new Error('not reached');
};
const library = { Diarizer: { create } } as unknown as Pick<typeof Library, 'Diarizer'>;
const command = { backend: 'auto', trustGpu: false, preset: 'nemotron', speed: 'exact', clustering: 'preset', trustModel: false, hub: undefined } as const;

describe('an error about the model file', () => {
  it('names its path and what to do, in diarize', async () => {
    const engine = new NodeFileEngine(() => Promise.resolve(library), command, path);
    const line = await engine.start().then(() => '', errorLine);
    expect(line).toMatch(new RegExp(`^${path}: broken\\.safetensors ends after 5 bytes.*Download the file again.*--model`));
  });

  it('that has only the id of the model gets the path too', () => {
    const error = new VoxlaneError({ code: 'model-output', problem: 'The model nemotron-3-diarization returned NaN' });
    expect(errorLine(aboutModelFile(error, path))).toBe(`${path}: The model nemotron-3-diarization returned NaN. Or name another file with --model, or omit it to download the model`);
  });

  it('of unknown hash mentions --trust-model', () => {
    const error = new VoxlaneError({ code: 'model-altered', problem: 'The file broken.safetensors is not a known file', remedy: 'Use it only if you trust its source' });
    expect(partsOf(aboutModelFile(error, path))!.remedy).toContain('--trust-model');
  });

  it('differs from other errors, which stay as they are', async () => {
    const others = [
      new VoxlaneError({ code: 'model-altered', problem: 'The file segmentation-3.0/model.onnx has SHA-256 0' }),
      new VoxlaneError({ code: 'worker-failed', problem: 'The worker ended' }),
      new Error('no'),
    ];
    for (const error of others) expect(aboutModelFile(error, path)).toBe(error);
    const [first] = others;
    expect(aboutModelFile(new VoxlaneError({ code: 'model-invalid', problem: 'broken.safetensors' }), undefined)).toMatchObject({ problem: 'broken.safetensors' });
    await expect(namingModelFile(undefined, () => Promise.reject(first!))).rejects.toBe(first);
  });
});
