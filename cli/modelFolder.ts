import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PresetId } from '../src/index';
import { NEMOTRON, PRESETS } from '../src/engine/settings';
import { parseDiarizationManifest } from '../src/store/diarizationManifest';
import { parseManifest } from '../src/store/manifest';
import { modelsFolder } from './place';

/**
 * Finds the model of a preset that is not bundled in the folder `VOXLANE_MODELS`: a file with a name from the model's manifest,
 * directly in the folder or in a subfolder named after the model's id. Undefined if there is none, and for bundled models.
 */
export function findModel(preset: PresetId | 'auto', environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = environment.VOXLANE_MODELS;
  if (folder === undefined || folder === '' || preset === 'campplus') return undefined;
  const id = preset === 'nemotron' ? NEMOTRON.model : PRESETS['community-1'].embedding;
  const path = join(modelsFolder(), id, 'manifest.json');
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const sources = preset === 'nemotron' ? [parseDiarizationManifest(content, path).weights] : (parseManifest('embedding', content, path).sources ?? []);
  return sources
    .flatMap(({ name }) => [join(folder, name), join(folder, id, name)])
    .find((candidate) => existsSync(candidate));
}

/** Path of a file of a bundled model. */
export const modelFile = (id: string, name: string): string => join(modelsFolder(), id, name);
