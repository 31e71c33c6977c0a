import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, ROOT } from './pack';

/** Where an example expects the recording: what Vite serves as it is lies in `public`. */
const RECORDINGS: Readonly<Record<string, string>> = { vite: 'public', react: 'public', vue: 'public' };

/**
 * A copy of an example, with the sample, in a folder where the packed packages are installed.
 *
 * @param name folder under `examples`
 * @param as name of the copy
 */
export async function copyExample(name: string, as = name): Promise<string> {
  const folder = join(await installPackages(), as);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'examples', name), folder, { recursive: true, filter: (path) => !/[\\/](node_modules|dist)$/.test(path) });
  addSample(join(folder, RECORDINGS[name] ?? ''));
  return folder;
}

/** Puts the sample where a page looks for it. */
export function addSample(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const sample = join(folder, 'sample.wav');
  if (!existsSync(sample)) cpSync(join(ROOT, 'public/sample.wav'), sample);
}
