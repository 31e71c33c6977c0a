import type { PresetId } from '../../engine/types';

/** The preset to run. `auto` uses community-1 if its model is stored, otherwise campplus, and never downloads. */
export type PresetChoice = PresetId | 'auto';

/** Presets whose model is not part of this page. */
export type DownloadedPreset = Exclude<PresetId, 'campplus'>;

/** The choices in the order of the page. */
export const PRESET_CHOICES = ['auto', 'campplus', 'community-1', 'nemotron'] as const satisfies readonly PresetChoice[];

/** Ending of the model file of each preset that has one. */
const FILE_ENDINGS: Readonly<Record<DownloadedPreset, string>> = { 'community-1': '.onnx', nemotron: '.safetensors' };

export const isDownloaded = (preset: PresetChoice): preset is DownloadedPreset => Object.hasOwn(FILE_ENDINGS, preset);

/** Whether one model does all stages. */
export const isStreamed = (preset: PresetChoice): boolean => preset === 'nemotron';

/** Endings of model files, for file inputs. */
export const MODEL_ENDINGS: readonly string[] = PRESET_CHOICES.filter((preset) => isDownloaded(preset)).map((preset) => FILE_ENDINGS[preset]);

/** The preset whose model this file can be, by its name; null for other files. */
export function presetOfFile(name: string): DownloadedPreset | null {
  return PRESET_CHOICES.filter((preset) => isDownloaded(preset)).find((preset) => name.toLowerCase().endsWith(FILE_ENDINGS[preset])) ?? null;
}

/** An option that some presets do not have: the speed `fast`. */
type Lack = 'fast';

const LACKS: Readonly<Partial<Record<PresetChoice, readonly Lack[]>>> = { nemotron: ['fast'] };

/** Whether the preset does not have this option. */
export const lacks = (preset: PresetChoice, option: Lack): boolean => LACKS[preset]?.includes(option) ?? false;
