import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say } from '../output';
import { conversationScripts, makeConversations } from './conversations';

/** Conversations of kinds that the evaluation corpus does not cover. */
const OWN_CORPUS = fileURLToPath(new URL('../../bench/corpus/', import.meta.url));

/**
 * The folders of the evaluation corpus. Generates its conversations once.
 *
 * @param cache folder for the generated conversations
 * @throws Error with a one-line message if the corpus is absent
 */
export function sharedCorpus(cache: string): string[] {
  const shared = process.env.VOXLANE_SHARED ?? resolve('..', 'shared');
  const generator = resolve(shared, 'conversations');
  if (!existsSync(generator)) throw new Error(`${generator} does not exist. Pass a FOLDER or set VOXLANE_SHARED. Try --help.`);
  const made = conversationScripts(generator, OWN_CORPUS).map((script) => makeConversations(script, cache, say));
  return [...made, resolve(shared, 'audio'), resolve(shared, 'captures')];
}
