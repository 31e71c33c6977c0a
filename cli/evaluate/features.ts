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

  /** Turns of a preset without features. @throws Error with a one-line message if the recording or the model cannot be read */
  async turnsOf(audio: string): Promise<FoundTurns> {
    this.keys ??= this.findKeys();
    const { minDurationOn, minDurationOff, streamingMode } = this.command;
    const options = {
      ...(minDurationOn !== undefined && { minDurationOn }),
      ...(minDurationOff !== undefined && { minDurationOff }),
      ...(streamingMode !== undefined && { streamingMode }),
    };
    const keys = ['turns', JSON.stringify(options), await hashFile(audio), ...(await this.keys)];
    return this.cache.get(keys, () => this.engine.turnsOf(audio, options));
  }

  /** Keys for all dependencies besides the recording: options, models, and programs. */
  private async findKeys(): Promise<string[]> {
    const { preset, speed = 'exact', backend, model } = this.command;
    const hashOf = (id: string): Promise<string> => hashFile(modelFile(id, 'manifest.json'));
    const own = model === undefined ? 'bundled' : await hashFile(model);
    if (!isWindowed(preset)) return [preset, backend, await hashOf(NEMOTRON.model), own, ...(await this.engine.programs())];
    const { segmentation, embedding, fastEmbedHop } = PRESETS[preset];
    return [preset, speed, String(fastEmbedHop), backend, await hashOf(segmentation), await hashOf(embedding), own, ...(await this.engine.programs())];
  }
}
