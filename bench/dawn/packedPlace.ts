/** Replaces `place.ts` in the packed folder, which has the files beside the script. */
import { fileURLToPath } from 'node:url';
import type * as Library from '../../src/index';
import type { Program } from './options';
import type * as Pair from './pairModels';

const at = (path: string): URL => new URL(path, import.meta.url);

export const PROGRAM: Program = { usage: './run.sh', canPair: false };

export const modelsFolder = (): string => fileURLToPath(at('models'));

export const skeletonFolder = (): string => fileURLToPath(at('models/wespeaker-resnet34-lm'));

export const samplePath = (): string => fileURLToPath(at('sample.wav'));

export const loadEngine = async (_say: (line: string) => void): Promise<typeof Library> =>
  (await import(at('engine/index.js').href)) as typeof Library;

export const pairFolders = (): { modelsBase: string; runtimeBase: string } => ({ modelsBase: at('models/').href, runtimeBase: at('ort/').href });

export const loadPair = (): Promise<typeof Pair> =>
  Promise.reject(new Error('The packed folder has no ONNX Runtime.'));

export const meterAddress = (): Promise<string> => Promise.resolve(at('meterThread.mjs').href);
