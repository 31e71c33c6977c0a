import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { KeptVoices } from '../../src/index';
import type { PlainVoices } from '../page/plainVoices';
import { findModel } from '../modelFolder';
import { openEnginePage } from '../enginePage';
import { ReplaceableEngine } from '../replaceableEngine';
import { buildIfStale } from '../site';
import { PRESETS } from '../../src/engine/settings';
import { hashFile, workerScripts, type FeatureCache } from './featureCache';
import type { EvaluateCommand } from './options';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** Model outputs for a recording. They do not depend on the clustering settings. */
export interface Features {
  readonly voices: KeptVoices;
  readonly durationSeconds: number;
}

/** Reads features from the cache, or computes them in a browser that is started on first use. */
export class FeatureSource {
  private readonly engine: ReplaceableEngine;
  private programKeys: Promise<string[]> | null = null;

  constructor(
    private readonly command: EvaluateCommand,
    private readonly cache: FeatureCache,
    private readonly say: (line: string) => void,
  ) {
    this.engine = new ReplaceableEngine(
      () => openEnginePage(command.backend, say),
      (page) => this.prepare(page),
      () => { say('the browser ended; trying again in a new one'); },
    );
  }

  /** @throws Error with a one-line message if the recording or the models cannot be read */
  async of(audio: string): Promise<Features> {
    this.programKeys ??= this.keysOfProgram();
    const keys = ['features', await hashFile(audio), ...(await this.programKeys)];
    return this.cache.get(keys, async () => {
      const outcome = await this.engine.run(async (page) => {
        await page.setInputFiles('#file', audio);
        return page.evaluate(() => voxlane.voicesOfFile());
      });
      if (!outcome.ok) throw new Error(outcome.message);
      return { voices: fromPlain(outcome.voices), durationSeconds: outcome.durationSeconds };
    });
  }

  async close(): Promise<void> {
    await this.engine.close();
  }

  /** Keys for all dependencies besides the recording: options, models, and worker scripts. */
  private async keysOfProgram(): Promise<string[]> {
    const { preset, speed = 'exact', backend, model } = this.command;
    const { segmentation, embedding, fastEmbedHop } = PRESETS[preset];
    await buildIfStale(this.say);
    const hashOf = (id: string): Promise<string> => hashFile(modelFile(id, 'manifest.json'));
    const own = model === undefined ? 'bundled' : await hashFile(model);
    return [preset, speed, String(fastEmbedHop), backend, await hashOf(segmentation), await hashOf(embedding), own, ...workerScripts(DIST)];
  }

  private async prepare(page: Page): Promise<void> {
    const { preset, speed, backend, trustModel, model = findModel(preset) } = this.command;
    await page.setInputFiles('#files', model === undefined ? [] : [model]);
    const options = { preset, backend, trustUnknownModel: trustModel, ...(speed && { speed }) };
    const failure = await page.evaluate((request) => voxlane.open(request), options);
    if (failure !== null) throw new Error(failure);
  }
}

function fromPlain({ activity, embeddings, embedded, dendrogram, ...voices }: PlainVoices): KeptVoices {
  const bytes = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64')).buffer;
  return {
    ...voices,
    activity: new Uint8Array(bytes(activity)),
    embeddings: new Float32Array(bytes(embeddings)),
    embedded: new Uint8Array(bytes(embedded)),
    dendrogram,
  };
}

/** Path of a model file. */
export const modelFile = (id: string, name: string): string => join(fileURLToPath(new URL('../../models/', import.meta.url)), id, name);
