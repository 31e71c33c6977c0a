/**
 * Where the commands run: here, in a clone of the repository. The npm package replaces this module by `packagedPlace.ts`.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DiarizeCommand } from './diarizeOptions';
import type { BrowserComparisonOptions } from './browserComparison';
import type { ComparisonEngine } from './comparisonEngine';
import type { FeatureCache } from './evaluate/featureCache';
import type { EvaluateCommand } from './evaluate/options';
import type { FeatureEngine, Peer } from './evaluate/sources';
import type { FileEngine } from './fileEngine';
import { lazyEngine } from './lazyEngine';
import { loadNodeEngine } from './nodeEngine';
import { NodeFileEngine } from './nodeFileEngine';
import { say } from './output';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Contains `<model id>/manifest.json`. */
export const modelsFolder = (): string => join(ROOT, 'models');

/** Folders with the workers, and with models, golden outputs and runtime, for `copy`. */
export const filesToCopy = (): string[] => [join(ROOT, 'packages/voxlane/dist/voxlane'), join(ROOT, 'packages/voxlane-assets/voxlane')];

/** The module that runs in the worker processes of `corpus run`. */
export const corpusWorker = (): string => join(ROOT, 'cli/corpus/worker.ts');

/** What to do if a folder of {@link filesToCopy} is missing. */
export const COPY_REMEDY = 'Run npm run package first';

/** The engine of `diarize`. @param model file of the embedding model, if it is not the bundled one */
export function openFileEngine(command: DiarizeCommand, model: string | undefined): FileEngine {
  const { engine = command.backend === 'webgpu' ? 'browser' : 'node' } = command;
  if (engine === 'browser') return lazyEngine(async () => new (await import('./browserFileEngine')).BrowserFileEngine(command, model));
  return lazyEngine(() => Promise.resolve(new NodeFileEngine(() => loadNodeEngine(say), command, model)));
}

/** Whether the commands can start a headless browser. */
export const HAS_BROWSER = true as boolean;

/** What to do if Node has no GPU, after "or". */
export const OTHER_GPU = 'use --engine browser';

/** The engine of `compare`, `bisect` and `stage` in a browser. */
export const openBrowserComparison = async (options: BrowserComparisonOptions): Promise<ComparisonEngine> =>
  new (await import('./browserComparison')).BrowserComparison(options);

/** The engine of `evaluate` in a browser. */
export const openBrowserFeatures = async (command: EvaluateCommand): Promise<FeatureEngine> =>
  new (await import('./evaluate/browserFeatures')).BrowserFeatures(command);

/** The system that `evaluate --peer` compares with. */
export const openPeer = async (cache: FeatureCache): Promise<Peer> => new (await import('./evaluate/peer')).PeerSource(cache, say);

/** The folders that `evaluate` uses without a FOLDER. @param cache folder for generated files */
export const defaultRecordings = async (cache: string): Promise<string[]> => (await import('./evaluate/sharedCorpus')).sharedCorpus(cache);
