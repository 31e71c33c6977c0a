/**
 * Command line: error rates of Voxlane on recordings with a reference.
 *
 *     npx voxlane evaluate [FOLDER…] [options]
 */
import { isWindowed, settingsOf, type PipelineSettings } from '../src/engine/settings';
import { isEnding } from './endings';
import { errorLine } from './errorLine';
import { evaluateRecording, turnsOfVoices, type EvaluationRow } from './evaluate/evaluation';
import { defaultCacheFolder, FeatureCache } from './evaluate/featureCache';
import { FeatureSource, openFeatures } from './evaluate/features';
import { changedSettings, HELP, parseCommand, type EvaluateCommand } from './evaluate/options';
import { findRecordings, readReference, type Recording } from './evaluate/recordings';
import { evaluationJson, evaluationTable } from './evaluate/report';
import type { Peer } from './evaluate/sources';
import { requireFile } from './inputs';
import { print, say, warn } from './output';
import { defaultRecordings, openPeer } from './place';
import { commandOf, runScript } from './script';
import { parsed } from './usage';

async function main(args: readonly string[]): Promise<number> {
  const command = parsed(() => parseCommand(args));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  if (command.model !== undefined) requireFile(command.model);
  const settings = isWindowed(command.preset) ? changedSettings(settingsOf(command.preset, command.clustering), command.changes) : null;
  const recordings = findRecordings(command.folders.length > 0 ? command.folders : await defaultRecordings(command.cache ?? defaultCacheFolder()));
  const cache = new FeatureCache(command.cache);
  const peer = command.hasPeer ? await openPeer(cache) : null;
  const engine = await openFeatures(command);
  const features = new FeatureSource(command, cache, engine);
  let rows: readonly EvaluationRow[];
  try {
    rows = await evaluateEach(recordings, (recording) => evaluate(recording, settings, command, features, peer), features);
  } finally {
    await engine.close();
    await peer?.close();
  }
  const figures = evaluationJson(rows);
  await print(command.json ? `${JSON.stringify(figures, null, 2)}\n` : evaluationTable(figures));
  return rows.length === recordings.length ? 0 : 1;
}

/**
 * Evaluates one recording after the other. A recording that cannot be read is reported, and does not affect the others.
 *
 * @returns the rows of the others
 * @throws the error of the models if they cannot be loaded: it would be the same for every recording
 */
export async function evaluateEach<Row>(
  recordings: readonly Recording[],
  evaluateOne: (recording: Recording) => Promise<Row>,
  features: Pick<FeatureSource, 'isUnusable'>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [index, recording] of recordings.entries()) {
    try {
      rows.push(await evaluateOne(recording));
      say(`[${index + 1}/${recordings.length}] ${recording.name}`);
    } catch (error) {
      if (isEnding() || features.isUnusable) throw error;
      warn(`evaluate: ${recording.audio}: ${errorLine(error)}`);
    }
  }
  return rows;
}

async function evaluate(
  recording: Recording,
  settings: PipelineSettings | null,
  command: EvaluateCommand,
  features: FeatureSource,
  peer: Peer | null,
): Promise<EvaluationRow> {
  const reference = readReference(recording);
  const { name, audio } = recording;
  if (!settings) {
    const { turns, durationSeconds } = await features.turnsOf(audio);
    return evaluateRecording(name, { voices: null, durationSeconds }, reference, turns, (await peer?.of(audio)) ?? null);
  }
  const found = await features.of(audio);
  const turns = turnsOfVoices(found.voices, settings, command.options);
  return evaluateRecording(name, found, reference, turns, (await peer?.of(audio)) ?? null);
}

export { HELP };
export const run = commandOf('evaluate', 1, main);

await runScript(import.meta.url, run);
