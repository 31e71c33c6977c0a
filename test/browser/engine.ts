import { test as base, type Page } from './test';
import type { DiarizeOptions, DiarizerOptions } from '../../src/index';

/** Result of a run in the page. */
export interface RunOutcome {
  readonly json: DiarizationJson;
  /** Concatenated over windows. */
  readonly activity: number[];
  /** Concatenated over windows; null for NaN. */
  readonly embeddings: (number | null)[];
}

/** The JSON document of one run, as printed by the command line. */
export interface DiarizationJson {
  readonly file: string;
  readonly durationSeconds: number;
  readonly backend: { name: string; adapter: string | null; threads: number; reason: string };
  readonly turns: { startSeconds: number; endSeconds: number; speaker: string }[];
  readonly exclusiveTurns: { startSeconds: number; endSeconds: number; speaker: string }[];
  readonly speakers: { label: string; centroid: number[] }[];
  readonly timings: Record<string, number>;
}

/** The engine page with one diarizer on WASM, shared by all tests of a file. */
export class EngineDriver {
  constructor(readonly page: Page) {}

  /** Diarizes a file from disk and captures the model outputs. */
  async run(path: string, options: Omit<DiarizeOptions, 'hook' | 'onProgress' | 'onPreview' | 'signal'> = {}): Promise<RunOutcome> {
    await this.page.setInputFiles('#file', path);
    return this.page.evaluate(async (runOptions) => {
      const activity: number[] = [];
      const embeddings: (number | null)[] = [];
      const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
      const file = voxlane.chosenFile();
      const result = await testDiarizer.diarize(file, {
        ...runOptions,
        hook: ({ stage, artifact }) => {
          if (stage === 'segmentation' && artifact) for (const value of artifact.data) activity.push(value);
          if (stage === 'embedding' && artifact) {
            for (const value of artifact.data) embeddings.push(Number.isNaN(value) ? null : value);
          }
        },
      });
      return { json: JSON.parse(voxlane.toJson(file.name, result)) as DiarizationJson, activity, embeddings };
    }, options);
  }
}

/** Opens the engine page and waits for the library. */
export async function openEngine(page: Page): Promise<void> {
  await page.goto('cli/engine.html');
  await page.waitForFunction(() => 'voxlane' in globalThis);
}

export async function createDiarizer(page: Page, options: DiarizerOptions): Promise<void> {
  await page.evaluate(async (diarizerOptions) => {
    Object.assign(globalThis, { testDiarizer: await voxlane.Diarizer.create(diarizerOptions) });
  }, options);
}

export const test = base.extend<object, { engineOptions: DiarizerOptions; engine: EngineDriver }>({
  engineOptions: [{}, { scope: 'worker', option: true }],
  engine: [
    async ({ browser, engineOptions }, use, { project }) => {
      const page = await browser.newPage({ baseURL: project.use.baseURL! });
      await openEngine(page);
      await createDiarizer(page, { backend: 'wasm', ...engineOptions });
      await use(new EngineDriver(page));
      await page.close();
    },
    { scope: 'worker' },
  ],
});

export { expect } from './test';
