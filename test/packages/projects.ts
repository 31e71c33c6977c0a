import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, ROOT } from './pack';

/** Where an example expects the recording: what Vite serves as it is lies in `public`. */
const RECORDINGS: Readonly<Record<string, string>> = { vite: 'public', react: 'public', vue: 'public' };

/** What an example diarizes: the sample, or eight seconds of it in which both of its speakers speak. */
export type Recording = 'sample' | 'clip';

const CLIP_START_SECONDS = 7;
const CLIP_SECONDS = 8;
const BYTES_PER_SECOND = 2 * 16_000;

/**
 * A copy of an example, with its recording, in a folder where the packed packages are installed.
 *
 * @param name folder under `examples`
 * @param as name of the copy
 */
export async function copyExample(name: string, as = name, recording: Recording = 'clip'): Promise<string> {
  const folder = join(await installPackages(), as);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'examples', name), folder, { recursive: true, filter: (path) => !/[\\/](node_modules|dist)$/.test(path) });
  addRecording(join(folder, RECORDINGS[name] ?? ''), recording);
  return folder;
}

/** Puts the recording where a page looks for it. */
function addRecording(folder: string, recording: Recording): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'sample.wav');
  if (existsSync(path)) return;
  const sample = readFileSync(join(ROOT, 'public/sample.wav'));
  writeFileSync(path, recording === 'sample' ? sample : clipOf(sample));
}

function clipOf(sample: Buffer): Buffer {
  const data = sample.indexOf('data') + 8;
  const start = data + CLIP_START_SECONDS * BYTES_PER_SECOND;
  const clip = Buffer.concat([sample.subarray(0, data), sample.subarray(start, start + CLIP_SECONDS * BYTES_PER_SECOND)]);
  clip.writeUInt32LE(clip.length - 8, 4);
  clip.writeUInt32LE(clip.length - data, data - 4);
  return clip;
}
