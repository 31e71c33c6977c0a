/** Options that only streamed or only windowed presets have. None is ignored silently. */
import type { SpeakerBounds } from '../clustering/localSpeakers';
import type { VoxlaneError } from '../util/errors';
import { optionError } from './optionError';
import type { StreamMode } from '../store/streamModes';
import type { ClusteringName, PresetId, Speed, StreamedPreset, WindowedPreset } from './settings';

interface DiarizerRequest {
  readonly speed: Speed;
  readonly clustering: ClusteringName;
  readonly batchWindows: number | undefined;
  readonly trustGpu: boolean;
}

/** @throws VoxlaneError `options` for an option of the diarizer that the preset does not have */
export function checkStreamDiarizer(preset: StreamedPreset, options: DiarizerRequest): void {
  const { speed, clustering, batchWindows, trustGpu } = options;
  if (speed !== 'exact') throw unfit('speed', speed, preset, 'exact: it has no embeddings to omit');
  if (clustering !== 'preset') throw unfit('clustering', clustering, preset, 'preset: it has no clustering');
  if (batchWindows !== undefined) throw unfit('batchWindows', batchWindows, preset, 'no batchWindows: it has no windows');
  if (trustGpu) throw unfit('trustGpu', trustGpu, preset, 'no trustGpu: it does not run on WebGPU yet');
}

/**
 * @param mostSpeakers number of speakers that the model can follow. A `maxSpeakers` from there on excludes nothing, so it is accepted
 * @throws VoxlaneError `options` for an option of a run that the preset does not have
 */
export function checkStreamRun(
  preset: StreamedPreset,
  { minSpeakers, maxSpeakers, keepVoices }: SpeakerBounds & { readonly keepVoices: boolean },
  mostSpeakers: number,
): void {
  const own = `no number: it finds the number of speakers itself, at most ${mostSpeakers}. Omit the option, or use another preset to set the number`;
  if (minSpeakers > 1) throw unfit(minSpeakers === maxSpeakers ? 'speakers or minSpeakers' : 'minSpeakers', minSpeakers, preset, own);
  if (maxSpeakers < mostSpeakers) throw unfit(minSpeakers === maxSpeakers ? 'speakers or maxSpeakers' : 'maxSpeakers', maxSpeakers, preset, own);
  if (keepVoices) throw unfit('keepVoices', keepVoices, preset, 'no keepVoices: it has no embeddings to keep');
}

/** @throws VoxlaneError `options` for an option of a run that presets with windows do not have */
export function checkWindowedRun(preset: WindowedPreset, { streamingMode }: { readonly streamingMode: StreamMode }): void {
  if (streamingMode !== 'offline') throw unfit('streamingMode', streamingMode, preset, 'offline: it reads whole windows. Use the preset nemotron');
}

const unfit = (name: string, value: unknown, preset: PresetId, expected: string): VoxlaneError =>
  optionError(name, value, `with the preset ${preset}, ${expected}`);
