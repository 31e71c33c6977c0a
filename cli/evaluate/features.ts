import { isWindowed, NEMOTRON, PRESETS } from '../../src/engine/settings';
import { chooseEngine } from '../engineChoice';
import { findModel, modelFile } from '../modelFolder';
import { openBrowserFeatures } from '../place';
import { hashFile, type FeatureCache } from './featureCache';
import { NodeFeatures } from './nodeFeatures';
import type { EvaluateCommand } from './options';
import type { FeatureEngine, Features, FoundTurns } from './sources';

/** @throws Error with a one-line message if the engine is not available */
export async function openFeatures(command: EvaluateCommand): Promise<FeatureEngine> {
  const engine = await chooseEngine(command.engine, command.backend === 'webgpu');
  const found = { ...command, model: command.model ?? findModel(command.preset) };
  return engine === 'node' ? new NodeFeatures(found) : openBrowserFeatures(found);
}

/** Reads features from the cache, or computes them. */
export class FeatureSource {
  private keys: Promise<string[]> | null = null;
  private hasFailed = false;

  constructor(
    private readonly command: Pick<EvaluateCommand, 'preset' | 'speed' | 'backend' | 'model' | 'options'>,
    private readonly cache: FeatureCache,
    private readonly engine: FeatureEngine,
  ) {}

  /** Whether the models could not be loaded. No further recording can be evaluated then, and the last error says why. */
  get isUnusable(): boolean {
    return this.hasFailed;
  }

  /** @throws Error with a one-line message if the recording or the models cannot be read */
  async of(audio: string): Promise<Features> {
    const keys = ['features', await hashFile(audio), ...(await this.ownKeys())];
    return this.cache.get(keys, async () => {
      await this.needed(this.engine.start());
      return this.engine.voicesOf(audio);
    });
  }

  /** Turns of a preset without features. @throws Error with a one-line message if the recording or the model cannot be read */
  async turnsOf(audio: string): Promise<FoundTurns> {
    const { options } = this.command;
    const keys = ['turns', JSON.stringify(options), await hashFile(audio), ...(await this.ownKeys())];
    return this.cache.get(keys, async () => {
      await this.needed(this.engine.start());
      return this.engine.turnsOf(audio, options);
    });
  }

  private ownKeys(): Promise<string[]> {
    return this.needed((this.keys ??= this.findKeys()));
  }

  /** Waits for something that all recordings need. */
  private async needed<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
  }

  /** Keys for all dependencies besides the recording: options, models, and programs. */
  private async findKeys(): Promise<string[]> {
    const { preset, speed = 'exact', backend, model } = this.command;
    const hashOf = (id: string): Promise<string> => hashFile(modelFile(id, 'manifest.json'));
    const own = model === undefined ? 'bundled' : await hashFile(model);
    if (!isWindowed(preset)) {
      const { model: id, voices } = NEMOTRON;
      const models = await Promise.all([id, voices.embedding, voices.clustering.plda].map(hashOf));
      return [preset, backend, ...models, own, ...(await this.engine.programs())];
    }
    const { segmentation, embedding, fastEmbedHop } = PRESETS[preset];
    return [preset, speed, String(fastEmbedHop), backend, await hashOf(segmentation), await hashOf(embedding), own, ...(await this.engine.programs())];
  }
}
