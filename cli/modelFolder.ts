import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PresetId } from '../src/index';
import { PRESETS } from '../src/engine/settings';
import { parseManifest } from '../src/store/manifest';
import { modelsFolder } from './place';

/**
 * Finds the embedding model of a preset in the folder `VOXLANE_MODELS`: a file with a name from the model's manifest,
 * directly in the folder or in a subfolder named after the model's id. Undefined if there is none, and for bundled models.
 */
export function findModel(preset: PresetId | 'auto', environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = environment.VOXLANE_MODELS;
  if (folder === undefined || folder === '' || preset === 'campplus') return undefined;
  const { embedding } = PRESETS['community-1'];
  const path = join(modelsFolder(), embedding, 'manifest.json');
  const { sources = [] } = parseManifest('embedding', JSON.parse(readFileSync(path, 'utf8')), path);
  return sources
    .flatMap(({ name }) => [join(folder, name), join(folder, embedding, name)])
    .find((candidate) => existsSync(candidate));
}

/** Path of a file of a bundled model. */
export const modelFile = (id: string, name: string): string => join(modelsFolder(), id, name);
