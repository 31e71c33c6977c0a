/**
 * Command line: error rates of Voxlane on recordings with a reference.
 *
 *     npm run --silent evaluate -- [FOLDER…] [options]
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { settingsOf, type PipelineSettings } from '../src/engine/settings';
import { isEnding } from './endings';
import { errorLine } from './errorLine';
import { conversationScripts, makeConversations } from './evaluate/conversations';
import { evaluateRecording, turnsOfVoices, type EvaluationRow } from './evaluate/evaluation';
import { defaultCacheFolder, FeatureCache } from './evaluate/featureCache';
import { FeatureSource } from './evaluate/features';
import { changedSettings, HELP, parseCommand, type EvaluateCommand } from './evaluate/options';
import { PeerSource } from './evaluate/peer';
import { findRecordings, readReference, type Recording } from './evaluate/recordings';
import { evaluationJson, evaluationTable } from './evaluate/report';
import { requireFile } from './inputs';
import { print, say, warn } from './output';
import { commandOf, runScript } from './script';
import { parsed } from './usage';

/** Conversations of kinds that the evaluation corpus does not cover. */
const OWN_CORPUS = fileURLToPath(new URL('../bench/corpus/', import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const command = parsed(() => parseCommand(args));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  if (command.model !== undefined) requireFile(command.model);
  const settings = changedSettings(settingsOf(command.preset, command.clustering), command.changes);
  const recordings = findRecordings(command.folders.length > 0 ? command.folders : corpus(command));
  const cache = new FeatureCache(command.cache);
  const features = new FeatureSource(command, cache, say);
  const peer = command.hasPeer ? new PeerSource(cache, say) : null;
  const rows: EvaluationRow[] = [];
  try {
    for (const [index, recording] of recordings.entries()) {
      try {
        rows.push(await evaluate(recording, settings, command, features, peer));
        say(`[${index + 1}/${recordings.length}] ${recording.name}`);
      } catch (error) {
        if (isEnding()) throw error;
        warn(`evaluate: ${recording.audio}: ${errorLine(error)}`);
      }
    }
  } finally {
    await features.close();
    await peer?.close();
  }
  const figures = evaluationJson(rows);
  await print(command.json ? `${JSON.stringify(figures, null, 2)}\n` : evaluationTable(figures));
  return rows.length === recordings.length ? 0 : 1;
}

async function evaluate(
  recording: Recording,
  settings: PipelineSettings,
  command: EvaluateCommand,
  features: FeatureSource,
  peer: PeerSource | null,
): Promise<EvaluationRow> {
  const reference = readReference(recording);
  const found = await features.of(recording.audio);
  const turns = turnsOfVoices(found.voices, settings, command);
  return evaluateRecording(recording.name, found, reference, turns, (await peer?.of(recording.audio)) ?? null);
}

/** @throws Error if the corpus is absent */
function corpus({ cache }: EvaluateCommand): string[] {
  const shared = process.env.VOXLANE_SHARED ?? resolve('..', 'shared');
  const generator = resolve(shared, 'conversations');
  if (!existsSync(generator)) throw new Error(`${generator} does not exist. Pass a FOLDER or set VOXLANE_SHARED. Try --help.`);
  const made = conversationScripts(generator, OWN_CORPUS).map((script) => makeConversations(script, cache ?? defaultCacheFolder(), say));
  return [...made, resolve(shared, 'audio'), resolve(shared, 'captures')];
}

export { HELP };
export const run = commandOf('evaluate', 1, main);

await runScript(import.meta.url, run);
