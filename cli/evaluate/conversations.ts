import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A script that makes conversations, with what its result depends on. */
export interface ConversationScript {
  readonly script: string;
  /** Arguments, but for the folder that it writes. */
  readonly args: (out: string) => readonly string[];
  /** Files whose content the result depends on, besides the speech. */
  readonly sources: readonly string[];
}

/** The list of the corpus, and the one of the repository with kinds that it lacks. @param generator folder with `make.py` and `speech` */
export function conversationScripts(generator: string, ownFolder: string): readonly ConversationScript[] {
  const script = join(generator, 'make.py');
  const list = join(generator, 'conversations.json');
  const own = join(ownFolder, 'make.py');
  return [
    { script, args: (out) => [join(generator, 'speech'), out, '--list', list], sources: [script, list] },
    { script: own, args: (out) => [generator, out], sources: [script, own, join(ownFolder, 'conversations.json')] },
  ];
}

/**
 * Makes conversations once for each state of a script's sources.
 *
 * @param cache folder in which the results are kept
 * @returns folder with audio files and their references
 * @throws Error with one line, if Python or one of its packages is missing
 */
export function makeConversations({ script, args, sources }: ConversationScript, cache: string, say: (line: string) => void): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const folder = join(cache, `conversations-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const python = process.env.VOXLANE_PYTHON ?? 'python3';
  const unfinished = `${folder}.${process.pid}`;
  say(`making conversations with ${script} …`);
  mkdirSync(unfinished, { recursive: true });
  const { status, stderr, error } = spawnSync(python, [script, ...args(unfinished)], { encoding: 'utf8' });
  if (status === 0) {
    renameSync(unfinished, folder);
    return folder;
  }
  rmSync(unfinished, { recursive: true, force: true });
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${python} could not make the conversations: ${why}. Expected Python 3 with numpy, scipy and soundfile; VOXLANE_PYTHON can name another one.`);
}
