import type { Page } from 'playwright-core';
import type { DiarizerOptions } from '../src/index';
import type { DiarizeCommand } from './diarizeOptions';
import { openEnginePage } from './enginePage';
import type { FileEngine, FileOutcome, FileRequest } from './fileEngine';
import { downloadLine, say } from './output';
import { ReplaceableEngine } from './replaceableEngine';

/** The library in a headless browser, which is restarted if it ends. A file is tried in two browsers. */
export class BrowserFileEngine implements FileEngine {
  private current = '';
  private onProgress: (stage: string, completed: number) => void = () => undefined;
  private readonly engine: ReplaceableEngine;

  constructor(
    private readonly command: Pick<DiarizeCommand, 'backend' | 'trustGpu' | 'preset' | 'speed' | 'clustering' | 'trustModel' | 'hub'>,
    private readonly model: string | undefined,
  ) {
    this.engine = new ReplaceableEngine(
      () => openEnginePage(command.backend, say, { ownHub: command.hub !== undefined, keepsProfile: true }),
      (page) => this.prepare(page),
      () => { say(`${this.current}: the browser ended; trying again in a new one`); },
    );
  }

  start(): Promise<void> {
    return this.engine.run(() => Promise.resolve());
  }

  diarize(path: string, request: FileRequest, onProgress: (stage: string, completed: number) => void): Promise<FileOutcome> {
    this.current = path;
    this.onProgress = onProgress;
    return this.engine.run(async (page) => {
      await page.setInputFiles('#file', path);
      return page.evaluate((asked) => voxlane.diarizeFile(asked), request);
    });
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  /** Creates the diarizer once for all files. */
  private async prepare(page: Page): Promise<void> {
    const { trustGpu, preset, speed, clustering, trustModel, hub } = this.command;
    await page.exposeFunction('sayStage', (stage: string, completed: number) => { this.onProgress(stage, completed); });
    await page.exposeFunction('sayDownload', downloadLine(say));
    await page.setInputFiles('#files', this.model === undefined ? [] : [this.model]);
    const backend = await this.usefulBackend(page);
    const options: DiarizerOptions = { backend, trustGpu, preset, speed, clustering, trustUnknownModel: trustModel, ...(hub !== undefined && { hub }) };
    const failure = await page.evaluate(([request, path]) => voxlane.open(request, path), [options, this.model] as const);
    if (failure !== null) throw new Error(failure);
  }

  /** A software adapter is always slower than WASM, and measuring that takes half a minute. */
  private async usefulBackend(page: Page): Promise<DiarizeCommand['backend']> {
    const { backend } = this.command;
    const adapter = backend === 'auto' ? await page.evaluate(() => voxlane.softwareAdapter()) : null;
    if (adapter === null) return backend;
    say(`the only WebGPU adapter is software (${adapter}): using WASM`);
    return 'wasm';
  }
}
