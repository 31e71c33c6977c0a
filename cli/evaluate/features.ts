import { PRESETS } from '../../src/engine/settings';
import { chooseEngine } from '../engineChoice';
import { findModel, modelFile } from '../modelFolder';
import { openBrowserFeatures } from '../place';
import { hashFile, type FeatureCache } from './featureCache';
import { NodeFeatures } from './nodeFeatures';
import type { EvaluateCommand } from './options';
import type { FeatureEngine, Features } from './sources';

/** @throws Error with a one-line message if the engine is not available */
export async function openFeatures(command: EvaluateCommand): Promise<FeatureEngine> {
  const engine = await chooseEngine(command.engine, command.backend === 'webgpu');
  const found = { ...command, model: command.model ?? findModel(command.preset) };
  return engine === 'node' ? new NodeFeatures(found) : openBrowserFeatures(found);
}

/** Reads features from the cache, or computes them. */
export class FeatureSource {
  private keys: Promise<string[]> | null = null;

  constructor(
    private readonly command: EvaluateCommand,
    private readonly cache: FeatureCache,
    private readonly engine: FeatureEngine,
  ) {}

  /** @throws Error with a one-line message if the recording or the models cannot be read */
  async of(audio: string): Promise<Features> {
    this.keys ??= this.findKeys();
    return this.cache.get(['features', await hashFile(audio), ...(await this.keys)], () => this.engine.voicesOf(audio));
  }

  /** Keys for all dependencies besides the recording: options, models, and programs. */
  private async findKeys(): Promise<string[]> {
    const { preset, speed = 'exact', backend, model } = this.command;
    const { segmentation, embedding, fastEmbedHop } = PRESETS[preset];
    const hashOf = (id: string): Promise<string> => hashFile(modelFile(id, 'manifest.json'));
    const own = model === undefined ? 'bundled' : await hashFile(model);
    return [preset, speed, String(fastEmbedHop), backend, await hashOf(segmentation), await hashOf(embedding), own, ...(await this.engine.programs())];
  }
}
