import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
/** Folder of the package that holds code. */
export const CODE_PACKAGE = join(ROOT, 'packages/voxlane');
/** Folder of the package that holds the models, their golden outputs and ONNX Runtime. */
export const ASSETS_PACKAGE = join(ROOT, 'packages/voxlane-assets');

/** What the package exports, by the name of the script in `dist`, and the module that says so. */
export const ENTRIES = {
  index: 'src/index.ts',
  widget: 'src/entries/widget.ts',
  formats: 'src/entries/formats.ts',
  score: 'src/entries/score.ts',
  compare: 'src/entries/compare.ts',
} as const;

/** Modules that another takes the place of in the package. */
export const REPLACED: Readonly<Record<string, string>> = {
  'workers/openWorker.ts': 'workers/openPackagedWorker.ts',
  'src/engine/defaultFiles.ts': 'src/engine/packagedFiles.ts',
};
