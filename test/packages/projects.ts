import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleWav } from '../audio/sampleWav';
import { installPackages, ROOT } from './pack';

/** Where an example expects the recording: what Vite serves as it is lies in `public`. */
const RECORDINGS: Readonly<Record<string, string>> = { vite: 'public', react: 'public', vue: 'public' };

/** What an example diarizes: the sample, or eight seconds of it in which both of its speakers speak. */
export type Recording = 'sample' | 'clip';

const CLIP_START_SECONDS = 7;
const CLIP_SECONDS = 8;

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
  writeFileSync(path, recording === 'sample' ? sampleWav(0) : sampleWav(CLIP_START_SECONDS, CLIP_SECONDS));
}
