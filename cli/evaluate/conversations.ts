import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/**
 * Makes the conversations of a list with the corpus's generator, once for each list and generator.
 *
 * @param generator folder with `make.py` and `speech`
 * @param list file with the conversations
 * @param cache folder in which the results are kept
 * @returns folder with audio files and their references
 * @throws Error with one line, if Python or one of its packages is missing
 */
export function makeConversations(generator: string, list: string, cache: string, say: (line: string) => void): string {
  const script = join(generator, 'make.py');
  const key = createHash('sha256').update(readFileSync(script)).update(readFileSync(list)).digest('hex').slice(0, 16);
  const folder = join(cache, `conversations-${key}`);
  if (existsSync(folder)) return folder;
  const python = process.env.VOXLANE_PYTHON ?? 'python3';
  const unfinished = `${folder}.${process.pid}`;
  say(`making the conversations of ${list} …`);
  mkdirSync(unfinished, { recursive: true });
  const { status, stderr, error } = spawnSync(python, [script, join(generator, 'speech'), unfinished, '--list', list], { encoding: 'utf8' });
  if (status === 0) {
    renameSync(unfinished, folder);
    return folder;
  }
  rmSync(unfinished, { recursive: true, force: true });
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${python} could not make the conversations: ${why}. Expected Python 3 with numpy, scipy and soundfile; VOXLANE_PYTHON can name another one.`);
}
