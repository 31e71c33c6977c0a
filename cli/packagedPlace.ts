/** Replaces `place.ts` in the npm package. The package has the commands in `dist/cli`. */
import { createRequire } from 'node:module';
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
import { NodeFileEngine } from './nodeFileEngine';
import { loadNodeEngine } from './packagedNodeEngine';
import { UsageError } from './usage';

const DIST = dirname(dirname(fileURLToPath(import.meta.url)));

/** @throws Error with a one-line message if the package is missing */
function assetsFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('voxlane-assets')), 'voxlane');
  } catch (cause) {
    throw new Error(`the package voxlane-assets is missing. ${COPY_REMEDY}`, { cause });
  }
}

export const COPY_REMEDY = 'Install voxlane and voxlane-assets again, in one version';

export const modelsFolder = (): string => join(assetsFolder(), 'models');

export const filesToCopy = (): string[] => [join(DIST, 'voxlane'), assetsFolder()];

export const corpusWorker = (): string => join(DIST, 'cli/corpusWorker.js');

export function openFileEngine(command: DiarizeCommand, model: string | undefined): FileEngine {
  return lazyEngine(() => Promise.resolve(new NodeFileEngine(loadNodeEngine, command, model)));
}

export const HAS_BROWSER = false as boolean;

export const OTHER_GPU = 'run the command in a clone of the repository, which can use a browser';

/** Never called, because {@link HAS_BROWSER} is false. */
const noBrowser = (): Promise<never> => Promise.reject(new Error('the package has no engine for browsers'));

export const openBrowserComparison: (options: BrowserComparisonOptions) => Promise<ComparisonEngine> = noBrowser;

export const openBrowserFeatures: (command: EvaluateCommand) => Promise<FeatureEngine> = noBrowser;

export const openPeer = (_cache: FeatureCache): Promise<Peer> =>
  Promise.reject(new UsageError('--peer needs a clone of the repository, which has sherpa-onnx'));

export const defaultRecordings = (_cache: string): Promise<string[]> =>
  Promise.reject(new UsageError('expected a FOLDER. Only a clone of the repository has recordings of its own. Try --help'));
