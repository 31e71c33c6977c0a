import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Diarizer } from '../../src/index';
import { requireFile } from '../inputs';
import { namingModelFile } from '../modelErrors';
import { loadNodeEngine, nodeEngineFolder } from '../nodeEngine';
import { downloadLine, say } from '../output';
import { hashFile } from './featureCache';
import { type EvaluateCommand, scriptsOf } from './options';
import type { FeatureEngine, Features, FoundTurns, TurnOptions } from './sources';

/** Computes features in this process. The models are loaded on first use. */
export class NodeFeatures implements FeatureEngine {
  private diarizer: Promise<Diarizer> | null = null;

  constructor(private readonly command: EvaluateCommand) {}

  /** Hashes of the scripts for models and decoding. */
  async programs(): Promise<string[]> {
    const folder = await nodeEngineFolder(say);
    const scripts = [folder, join(folder, 'workers')].flatMap((at) =>
      readdirSync(at).filter((name) => scriptsOf(this.command.preset).test(name)).sort().map((name) => join(at, name)));
    return ['node', ...(await Promise.all(scripts.map((path) => hashFile(path))))];
  }

  async start(): Promise<void> {
    await (this.diarizer ??= this.open());
  }

  async voicesOf(audio: string): Promise<Features> {
    const diarizer = await (this.diarizer ??= this.open());
    const { voices, durationSeconds } = await diarizer.diarize(audio, { keepVoices: true });
    return { voices: { ...voices!, dendrogram: null }, durationSeconds };
  }

  async turnsOf(audio: string, options: TurnOptions): Promise<FoundTurns> {
    const diarizer = await (this.diarizer ??= this.open());
    const { turns, durationSeconds } = await diarizer.diarize(audio, options);
    return { turns, durationSeconds };
  }

  async close(): Promise<void> {
    (await this.diarizer?.catch(() => null))?.dispose();
    this.diarizer = null;
  }

  private async open(): Promise<Diarizer> {
    const { preset, speed, backend, trustModel, model, hub } = this.command;
    const library = await loadNodeEngine(say);
    if (model !== undefined) requireFile(model);
    return namingModelFile(model, () => library.Diarizer.create({
      preset,
      backend,
      trustUnknownModel: trustModel,
      onDownload: downloadLine(say),
      ...(hub !== undefined && { hub }),
      ...(speed && { speed }),
      ...(model !== undefined && { modelFile: model }),
    }));
  }
}
