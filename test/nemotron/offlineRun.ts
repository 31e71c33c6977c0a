/** Runs a network on a whole recording in this thread. */
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { ActivityBuilder } from '../../src/sortformer/activity';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import type { StreamNetwork } from '../../src/sortformer/network';
import { stream } from '../../src/sortformer/speakerStream';
import type { DiarizationManifest } from '../../src/store/diarizationManifest';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import { type MinDurations, NO_MIN_DURATIONS } from '../../src/timeline/minDurations';
import type { IndexedTurn } from '../../src/timeline/turns';
import { concatenate } from '../../src/util/values';

/** Decisions about a recording. */
interface OfflineRun {
  /** Axes (mel frame, output). */
  readonly logits: Float32Array;
  /** Turns with each of the minimum durations. */
  readonly turns: readonly (readonly IndexedTurn[])[];
}

/**
 * Runs a recording in offline mode.
 *
 * @param samples axes (sample), at the rate of the model
 * @param durations minimum durations; by default none
 */
export async function runOffline(network: StreamNetwork, manifest: DiarizationManifest, samples: Float32Array, durations: readonly MinDurations[] = [NO_MIN_DURATIONS]): Promise<OfflineRun> {
  const settings = parseStreamingSettings(nemotron.streaming, manifest.id);
  const { sampleRate, fbank: { frameShiftMs } } = manifest;
  const grid = { hopSamples: (frameShiftMs * sampleRate) / 1000, sampleRate };
  const builders = durations.map((own) => new ActivityBuilder(settings.segments.threshold, settings.numSpeakers, grid, own));
  const pieces: Float32Array[] = [];
  for await (const decided of stream('samples', [samples], { network, settings, mode: 'offline', frontEnd: cpuFrontEnd(manifest) })) {
    pieces.push(decided.logits.slice());
    for (const builder of builders) builder.push(decided);
  }
  return { logits: concatenate(pieces), turns: builders.map((builder) => builder.result().turns) };
}
