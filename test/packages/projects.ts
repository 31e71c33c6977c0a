import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleWav } from '../audio/sampleWav';
import { installPackages, ROOT } from './pack';

/** Folder of the recording in an example. Vite serves static files from `public`. */
const RECORDINGS: Readonly<Record<string, string>> = { vite: 'public', react: 'public', vue: 'public' };

/** Recording of an example: the sample, or eight seconds of it with both speakers. */
export type Recording = 'sample' | 'clip';

const CLIP_START_SECONDS = 7;
const CLIP_SECONDS = 8;

/**
 * Copies an example with its recording into a folder with the installed packages.
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

/** Writes the recording to the folder expected by the page. */
function addRecording(folder: string, recording: Recording): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'sample.wav');
  if (existsSync(path)) return;
  writeFileSync(path, recording === 'sample' ? sampleWav(0) : sampleWav(CLIP_START_SECONDS, CLIP_SECONDS));
}
