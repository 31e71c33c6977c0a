import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A script that generates conversations, with the dependencies of its result. */
export interface ConversationScript {
  readonly script: string;
  /** Arguments for an output folder. */
  readonly args: (out: string) => readonly string[];
  /** Files that the result depends on, besides the speech. */
  readonly sources: readonly string[];
}

/** The scripts of the corpus and of this repository, which covers further kinds. @param generator folder with `make.py` and `speech` */
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
 * Generates conversations once for each version of a script's sources.
 *
 * @param cache folder for the results
 * @returns folder with audio files and their references
 * @throws Error with a one-line message if Python or one of its packages is missing
 */
export function makeConversations({ script, args, sources }: ConversationScript, cache: string, say: (line: string) => void): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const folder = join(cache, `conversations-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const python = process.env.VOXLANE_PYTHON ?? 'python3';
  const unfinished = `${folder}.${process.pid}`;
  say(`generating conversations with ${script} …`);
  mkdirSync(unfinished, { recursive: true });
  const { status, stderr, error } = spawnSync(python, [script, ...args(unfinished)], { encoding: 'utf8' });
  if (status === 0) {
    renameSync(unfinished, folder);
    return folder;
  }
  rmSync(unfinished, { recursive: true, force: true });
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${python} could not generate the conversations: ${why}. Expected Python 3 with numpy, scipy and soundfile. Set VOXLANE_PYTHON to use another interpreter.`);
}
