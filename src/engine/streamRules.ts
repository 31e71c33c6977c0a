/**
 * Options that only streamed or only windowed presets have. None is ignored silently. The library checks them, and the command
 * line checks them before it loads a model.
 */
import type { SpeakerBounds } from '../clustering/localSpeakers';
import { optionError } from './optionError';
import type { StreamMode } from '../store/streamModes';
import { type ClusteringName, isWindowed, type PresetId, type Speed, type StreamedPreset, type WindowedPreset } from './settings';

/** An option that depends on the models. `speakers` stands for all options of the number of speakers. */
type ModelOption = 'speed' | 'clustering' | 'batchWindows' | 'trustGpu' | 'speakers' | 'keepVoices';

/** What each preset lacks, with what an error expects instead. An option that is not listed exists. */
const LACKING: Readonly<Record<StreamedPreset, Readonly<Partial<Record<ModelOption, string>>>>> = {
  nemotron: {
    speed: 'exact: it has no embeddings to omit',
    clustering: 'preset: it has no clustering',
    batchWindows: 'no batchWindows: it has no windows',
    trustGpu: 'no trustGpu: it does not run on WebGPU yet',
    speakers: 'no number: it finds the number of speakers itself. Omit the option, or use another preset to set the number',
    keepVoices: 'no keepVoices: it has no embeddings to keep',
  },
};

/** Whether a run of the preset accepts a number of speakers. */
export const takesSpeakers = (preset: PresetId): boolean => isWindowed(preset) || LACKING[preset].speakers === undefined;

interface DiarizerRequest {
  readonly speed: Speed;
  readonly clustering: ClusteringName;
  readonly batchWindows: number | undefined;
  readonly trustGpu: boolean;
}

/** @throws VoxlaneError `options` for an option of the diarizer that the preset does not have */
export function checkStreamDiarizer(preset: StreamedPreset, { speed, clustering, batchWindows, trustGpu }: DiarizerRequest): void {
  if (speed !== 'exact') refuse(preset, 'speed', speed);
  if (clustering !== 'preset') refuse(preset, 'clustering', clustering);
  if (batchWindows !== undefined) refuse(preset, 'batchWindows', batchWindows);
  if (trustGpu) refuse(preset, 'trustGpu', trustGpu);
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
  const name = (own: string): string => (minSpeakers === maxSpeakers ? `speakers or ${own}` : own);
  if (minSpeakers > 1) refuse(preset, 'speakers', minSpeakers, name('minSpeakers'));
  if (maxSpeakers < mostSpeakers) refuse(preset, 'speakers', maxSpeakers, name('maxSpeakers'));
  if (keepVoices) refuse(preset, 'keepVoices', keepVoices);
}

/** Does nothing if the preset has the option. @param name what the error calls the option */
function refuse(preset: StreamedPreset, option: ModelOption, value: unknown, name: string = option): void {
  const expected = LACKING[preset][option];
  if (expected !== undefined) throw optionError(name, value, `with the preset ${preset}, ${expected}`);
}

/** @throws VoxlaneError `options` for an option of a run that presets with windows do not have */
export function checkWindowedRun(preset: WindowedPreset | 'auto', { streamingMode }: { readonly streamingMode: StreamMode }): void {
  if (streamingMode === 'offline') return;
  throw optionError('streamingMode', streamingMode, `with the preset ${preset}, offline: it reads whole windows. Use the preset nemotron`);
}
