/** Allowed files and maximum size of a package. Any other file fails a test. */
export interface Contents {
  /** Paths; `*` stands for generated names of shared chunks. */
  readonly files: readonly string[];
  /** Maximum bytes of the tarball and of its content: a tenth above the sizes when the limits were set. */
  readonly maxPackedBytes: number;
  readonly maxUnpackedBytes: number;
}

const ENTRIES = ['compare', 'formats', 'index', 'react', 'score', 'widget'];
const WORKERS = ['clustering', 'compare', 'decode', 'embedding', 'segmentation', 'sortformer'];

export const CONTENTS: Readonly<Record<'voxlane' | 'voxlane-assets', Contents>> = {
  voxlane: {
    files: [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD_PARTY.md',
      'bin/voxlane.js',
      'custom-elements.json',
      'dist/cli/*.js',
      'dist/cli/corpusWorker.js',
      'dist/cli/voxlane.js',
      'dist/node/*.js',
      'dist/node/commands.js',
      'dist/node/compare.js',
      'dist/node/index.js',
      ...WORKERS.map((name) => `dist/node/workers/${name}.mjs`),
      'dist/*.d.ts',
      'dist/*.js',
      ...ENTRIES.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]),
      ...WORKERS.map((name) => `dist/voxlane/workers/${name}.js`),
      'package.json',
    ],
    maxPackedBytes: 2_530_000,
    maxUnpackedBytes: 8_010_000,
  },
  'voxlane-assets': {
    files: [
      'LICENSE',
      'README.md',
      'THIRD_PARTY.md',
      'index.d.ts',
      'index.js',
      'package.json',
      'voxlane/goldens/campplus-zh-en.zip',
      'voxlane/goldens/segmentation-3.0.zip',
      'voxlane/models/campplus-zh-en/LICENSE',
      'voxlane/models/campplus-zh-en/manifest.json',
      'voxlane/models/campplus-zh-en/model.onnx',
      'voxlane/models/nemotron-3-diarization/LICENSE',
      'voxlane/models/nemotron-3-diarization/manifest.json',
      'voxlane/models/nemotron-3-diarization/model.onnx',
      'voxlane/models/plda-campplus-zh-en/LICENSE',
      'voxlane/models/plda-campplus-zh-en/manifest.json',
      'voxlane/models/plda-campplus-zh-en/plda.bin',
      'voxlane/models/plda-community-1/LICENSE',
      'voxlane/models/plda-community-1/manifest.json',
      'voxlane/models/plda-community-1/plda.bin',
      'voxlane/models/segmentation-3.0/LICENSE',
      'voxlane/models/segmentation-3.0/manifest.json',
      'voxlane/models/segmentation-3.0/model.onnx',
      'voxlane/models/wespeaker-resnet34-lm/manifest.json',
      'voxlane/ort/ort-wasm-simd-threaded.asyncify.mjs',
      'voxlane/ort/ort-wasm-simd-threaded.asyncify.wasm',
      'voxlane/ort/ort-wasm-simd-threaded.mjs',
      'voxlane/ort/ort-wasm-simd-threaded.wasm',
      'voxlane/ort/ort.wasm.min.mjs',
      'voxlane/ort/ort.webgpu.min.mjs',
    ],
    maxPackedBytes: 48_000_000,
    maxUnpackedBytes: 85_000_000,
  },
};

/** A shared chunk, named after one of its modules, with a content hash. */
const SHARED_PART = /^(dist\/(?:(?:cli|node)\/)?)[\w.-]+-[\w-]{8}(?=\.(js|d\.ts)$)/;

/** A path in the form of the lists above. */
export const listed = (path: string): string => path.replace(SHARED_PART, '$1*');
