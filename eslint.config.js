import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/**
 * Imports point one way: a folder may import from its own layer and from those after it, never from those before.
 * Folders of one layer may import from each other.
 */
const LAYERS = [
  ['src/ui', 'src/widget', 'src/entries', 'src/sw', 'cli', 'bench', 'e2e', 'scripts', 'test'],
  ['src/index.ts'],
  ['src/pipeline'],
  ['workers'],
  [
    'src/audio',
    'src/segmentation',
    'src/fbank',
    'src/embedding',
    'src/clustering',
    'src/timeline',
    'src/diarization',
    'src/editing',
    'src/transcript',
    'src/formats',
    'src/score',
    'src/compare',
  ],
  ['src/onnx', 'src/ort', 'src/store'],
  ['src/gpu', 'src/wasm'],
  ['src/util'],
];

/** For each layer, no import whose path leads into a layer before it. Unit tests may use the helpers in `test`. */
const importDirection = LAYERS.slice(1).flatMap((folders, index) => {
  const before = LAYERS.slice(0, index + 1).flat();
  const files = folders.map((folder) => (folder.endsWith('.ts') ? folder : `${folder}/**/*.ts`));
  return [
    { files, ignores: ['**/*.test.ts'], rules: noImportsFrom(before) },
    {
      files: folders.filter((folder) => !folder.endsWith('.ts')).map((folder) => `${folder}/**/*.test.ts`),
      rules: noImportsFrom(before.filter((folder) => folder !== 'test')),
    },
  ].filter((config) => config.files.length > 0);
});

function noImportsFrom(folders) {
  const names = folders.map((folder) => folder.replace(/^src\//, '').replace(/\.ts$/, ''));
  return {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^\\.{1,2}/(.*/)?(${names.join('|')})(/|$)`,
            message: `Imports point one way: ${LAYERS.map((layer) => layer[0]).join(' → ')}.`,
          },
        ],
      },
    ],
  };
}

const only = (folders, globs, selector, message) => ({
  files: ['src/**/*.ts', 'workers/**/*.ts'],
  ignores: [...folders.map((folder) => `${folder}/**`), ...globs],
  rules: { 'no-restricted-syntax': ['error', { selector, message }] },
});

export default tseslint.config(
  // The React example has types only where the packages are installed; its test checks them there.
  // AssemblyScript has operators and types that TypeScript's rules, which need types, would take for mistakes; the typed
  // example has those of the packages, once they are installed.
  { ignores: ['src/onnx/onnx_pb.ts', 'src/wasm/assembly/**', 'dist/**', 'dist-cli/**', 'dist-test/**', 'packages/*/dist/**', 'packages/voxlane-assets/**', 'docs/.vitepress/{cache,dist}/**', 'docs/api/**', 'examples/*/dist/**', 'examples/react/**', 'test-results/**', 'playwright-report/**', '.venv/**'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] }, tsconfigRootDir: import.meta.dirname },
      globals: globals.browser,
    },
    rules: {
      // Indices are checked by the loops that make them; `noUncheckedIndexedAccess` makes the `!` visible.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  ...importDirection,
  only(['src/ort'], [], 'ImportExpression[source.value=/^onnxruntime-web/]', 'Only src/ort opens ONNX Runtime.'),
  {
    files: ['src/**/*.ts'],
    // The model store and the service worker have fetches of their own.
    ignores: ['src/ui/onResize.ts', 'src/util/fetchFile.ts', 'src/store/**', 'src/sw/**', '**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'ResizeObserver', message: 'Use onResize: a change of layout inside the observer is an error of the page.' },
        { name: 'fetch', message: "Use fetchFile: the browser's words about a failed connection are not for people." },
      ],
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  { files: ['cli/**', 'bench/**', 'scripts/**', 'test/**', 'packages/*/bin/**', '*.config.ts'], languageOptions: { globals: globals.node } },
);
