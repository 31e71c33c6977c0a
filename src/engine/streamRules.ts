/**
 * Options that only streamed or only windowed presets have. None is ignored silently. The library checks them, and the command
 * line checks them before it loads a model.
 */
import { optionError } from './optionError';
import type { StreamMode } from '../store/streamModes';
import type { ClusteringName, Speed, StreamedPreset, WindowedPreset } from './settings';

/** An option that depends on the models. */
type ModelOption = 'speed' | 'clustering' | 'batchWindows';

/** What each preset lacks, with what an error expects instead. An option that is not listed exists. */
const LACKING: Readonly<Record<StreamedPreset, Readonly<Partial<Record<ModelOption, string>>>>> = {
  nemotron: {
    speed: 'exact: its windows do not overlap',
    clustering: 'preset: it has only its own',
    batchWindows: 'no batchWindows: it has no windows',
  },
};

interface DiarizerRequest {
  readonly speed: Speed;
  readonly clustering: ClusteringName;
  readonly batchWindows: number | undefined;
}

/** @throws VoxlaneError `options` for an option of the diarizer that the preset does not have */
export function checkStreamDiarizer(preset: StreamedPreset, { speed, clustering, batchWindows }: DiarizerRequest): void {
  if (speed !== 'exact') refuse(preset, 'speed', speed);
  if (clustering !== 'preset') refuse(preset, 'clustering', clustering);
  if (batchWindows !== undefined) refuse(preset, 'batchWindows', batchWindows);
}

/** Does nothing if the preset has the option. */
function refuse(preset: StreamedPreset, option: ModelOption, value: unknown): void {
  const expected = LACKING[preset][option];
  if (expected !== undefined) throw optionError(option, value, `with the preset ${preset}, ${expected}`);
}

/** @throws VoxlaneError `options` for an option of a run that presets with windows do not have */
export function checkWindowedRun(preset: WindowedPreset | 'auto', { streamingMode }: { readonly streamingMode: StreamMode }): void {
  if (streamingMode === 'offline') return;
  throw optionError('streamingMode', streamingMode, `with the preset ${preset}, offline: it reads whole windows. Use the preset nemotron`);
}
