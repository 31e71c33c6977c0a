import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { KeptVoices } from '../../src/index';
import { openEnginePage } from '../enginePage';
import { downloadLine, say } from '../output';
import type { PlainVoices } from '../page/plainVoices';
import { ReplaceableEngine } from '../replaceableEngine';
import { buildIfStale } from '../site';
import { type EvaluateCommand, scriptsOf } from './options';
import type { FeatureEngine, Features, FoundTurns, TurnOptions } from './sources';

const ASSETS = fileURLToPath(new URL('../../dist/assets/', import.meta.url));

/** Computes features in a browser that is started on first use. */
export class BrowserFeatures implements FeatureEngine {
  private readonly engine: ReplaceableEngine;

  constructor(private readonly command: EvaluateCommand) {
    this.engine = new ReplaceableEngine(
      () => openEnginePage(command.backend, say),
      (page) => this.prepare(page),
      () => { say('the browser ended; trying again in a new one'); },
    );
  }

  /** Names of the built scripts for models and decoding. The names contain content hashes. */
  async programs(): Promise<string[]> {
    await buildIfStale(say);
    return readdirSync(ASSETS).filter((name) => scriptsOf(this.command.preset).test(name)).sort();
  }

  async start(): Promise<void> {
    await this.engine.run(() => Promise.resolve());
  }

  async voicesOf(audio: string): Promise<Features> {
    const outcome = await this.engine.run(async (page) => {
      await page.setInputFiles('#file', audio);
      return page.evaluate(() => voxlane.voicesOfFile());
    });
    if (!outcome.ok) throw new Error(outcome.message);
    return { voices: fromPlain(outcome.voices), durationSeconds: outcome.durationSeconds };
  }

  async turnsOf(audio: string, options: TurnOptions): Promise<FoundTurns> {
    const outcome = await this.engine.run(async (page) => {
      await page.setInputFiles('#file', audio);
      return page.evaluate((request) => voxlane.turnsOfFile(request), options);
    });
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome;
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  private async prepare(page: Page): Promise<void> {
    const { preset, speed, backend, trustModel, model, hub } = this.command;
    await page.exposeFunction('sayDownload', downloadLine(say));
    await page.setInputFiles('#files', model === undefined ? [] : [model]);
    const options = { preset, backend, trustUnknownModel: trustModel, ...(speed && { speed }), ...(hub !== undefined && { hub }) };
    const failure = await page.evaluate(([request, path]) => voxlane.open(request, path), [options, model] as const);
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
