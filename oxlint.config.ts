/**
 * The rules of `npm run lint`: ESLint's recommended rules and the strict, type-aware rules of typescript-eslint, run by
 * Oxlint. The compiler checks the rest, such as unknown names.
 */
import { defineConfig, type OxlintOverride } from 'oxlint';

/**
 * Imports point in one direction: a folder may import from its own layer and from later layers, never from earlier ones.
 * Folders of the same layer may import from each other.
 */
const LAYERS = [
  ['src/app', 'src/panel', 'src/widget', 'src/entries', 'cli', 'bench', 'e2e', 'scripts', 'test'],
  ['src/ui-kit'],
  ['src/sw'],
  ['src/index.ts'],
  ['src/engine'],
  ['workers'],
  [
    'src/audio',
    'src/features',
    'src/segmentation',
    'src/sortformer',
    'src/embedding',
    'src/clustering',
    'src/timeline',
    'src/editing',
    'src/transcript',
    'src/formats',
    'src/score',
    'src/compare',
  ],
  ['src/onnx', 'src/ort', 'src/store', 'src/weights'],
  ['src/gpu', 'src/nn'],
  ['src/util'],
];

const RULES = [
  'for-direction', 'no-array-constructor', 'no-async-promise-executor', 'no-case-declarations',
  'no-compare-neg-zero', 'no-cond-assign', 'no-constant-binary-expression', 'no-constant-condition',
  'no-control-regex', 'no-debugger', 'no-delete-var', 'no-dupe-else-if', 'no-duplicate-case', 'no-empty',
  'no-empty-character-class', 'no-empty-function', 'no-empty-pattern', 'no-empty-static-block', 'no-ex-assign',
  'no-extra-boolean-cast', 'no-fallthrough', 'no-global-assign', 'no-invalid-regexp', 'no-irregular-whitespace',
  'no-loss-of-precision', 'no-misleading-character-class', 'no-nonoctal-decimal-escape', 'no-prototype-builtins',
  'no-regex-spaces', 'no-self-assign', 'no-shadow-restricted-names', 'no-sparse-arrays', 'no-unassigned-vars',
  'no-unexpected-multiline', 'no-unsafe-finally', 'no-unsafe-optional-chaining', 'no-unused-expressions',
  'no-unused-labels', 'no-unused-private-class-members', 'no-unused-vars', 'no-useless-assignment',
  'no-useless-backreference', 'no-useless-catch', 'no-useless-constructor', 'no-useless-escape', 'no-var',
  'prefer-const', 'prefer-rest-params', 'prefer-spread', 'preserve-caught-error', 'require-yield', 'use-isnan',
  'valid-typeof',
];

const TYPESCRIPT_RULES = [
  'await-thenable', 'no-array-delete', 'no-base-to-string', 'no-confusing-void-expression', 'no-deprecated',
  'no-duplicate-enum-values', 'no-duplicate-type-constituents', 'no-dynamic-delete', 'no-empty-object-type',
  'no-explicit-any', 'no-extra-non-null-assertion', 'no-extraneous-class', 'no-floating-promises',
  'no-for-in-array', 'no-generated-empty-object-type', 'no-implied-eval', 'no-invalid-void-type',
  'no-meaningless-void-operator', 'no-misused-new', 'no-misused-promises', 'no-misused-spread', 'no-mixed-enums',
  'no-namespace', 'no-non-null-asserted-nullish-coalescing', 'no-non-null-asserted-optional-chain',
  'no-redundant-type-constituents', 'no-require-imports', 'no-this-alias', 'no-unnecessary-boolean-literal-compare',
  'no-unnecessary-condition', 'no-unnecessary-template-expression', 'no-unnecessary-type-arguments',
  'no-unnecessary-type-assertion', 'no-unnecessary-type-constraint', 'no-unnecessary-type-conversion',
  'no-unnecessary-type-parameters', 'no-unsafe-argument', 'no-unsafe-assignment', 'no-unsafe-call',
  'no-unsafe-declaration-merging', 'no-unsafe-enum-comparison', 'no-unsafe-function-type',
  'no-unsafe-member-access', 'no-unsafe-return', 'no-unsafe-unary-minus', 'no-useless-default-assignment',
  'no-wrapper-object-types', 'only-throw-error', 'prefer-as-const', 'prefer-literal-enum-member',
  'prefer-namespace-keyword', 'prefer-promise-reject-errors', 'prefer-reduce-type-parameter',
  'prefer-return-this-type', 'related-getter-setter-pairs', 'require-await', 'triple-slash-reference',
  'unbound-method', 'unified-signatures', 'use-unknown-in-catch-callback-variable', 'adjacent-overload-signatures',
  'array-type', 'ban-tslint-comment', 'class-literal-property-style', 'consistent-generic-constructors',
  'consistent-indexed-object-style', 'consistent-type-assertions', 'consistent-type-definitions', 'dot-notation',
  'no-confusing-non-null-assertion', 'no-inferrable-types', 'non-nullable-type-assertion-style', 'prefer-find',
  'prefer-for-of', 'prefer-function-type', 'prefer-includes', 'prefer-nullish-coalescing', 'prefer-optional-chain',
  'prefer-regexp-exec', 'prefer-string-starts-ends-with', 'explicit-module-boundary-types',
];

/** Forbids imports from earlier layers. Unit tests may use the helpers in `test`. */
const importDirection: OxlintOverride[] = LAYERS.slice(1).flatMap((folders, index) => {
  const before = LAYERS.slice(0, index + 1).flat();
  const directories = folders.filter((folder) => !folder.endsWith('.ts'));
  const files = folders.map((folder) => (folder.endsWith('.ts') ? folder : `${folder}/**/*.ts`));
  const unitTests = {
    files: directories.map((folder) => `${folder}/**/*.test.ts`),
    rules: noImportsFrom(before.filter((folder) => folder !== 'test')),
  };
  return [{ files, rules: noImportsFrom(before) }, ...(directories.length > 0 ? [unitTests] : [])];
});

function noImportsFrom(folders: readonly string[]): NonNullable<OxlintOverride['rules']> {
  const names = folders.map((folder) => folder.replace(/^src\//, '').replace(/\.ts$/, ''));
  const message = `Imports must follow this direction: ${LAYERS.map(([first]) => first).join(' → ')}.`;
  return {
    'no-restricted-imports': ['error', { patterns: [{ regex: `^\\.{1,2}/(.*/)?(${names.join('|')})(/|$)`, message }] }],
  };
}

const asErrors = (names: readonly string[], prefix = ''): Record<string, 'error'> =>
  Object.fromEntries(names.map((name) => [`${prefix}${name}`, 'error']));

export default defineConfig({
  plugins: ['typescript', 'import'],
  jsPlugins: [{ name: 'eslint-js', specifier: 'oxlint-plugin-eslint' }],
  categories: { correctness: 'off' },
  options: { typeAware: true, denyWarnings: true },
  env: { builtin: true, browser: true, node: true },
  // The React example has types only after its packages are installed. Its test checks them.
  // Type-aware rules would report valid AssemblyScript operators and types as errors.
  ignorePatterns: [
    'src/onnx/onnx_pb.ts',
    'src/nn/assembly/**',
    'dist/**',
    'dist-cli/**',
    'dist-node/**',
    'dist-gpu-bench/**',
    'dist-test/**',
    'packages/*/dist/**',
    'packages/voxlane-assets/**',
    'docs/.vitepress/{cache,dist}/**',
    'docs/api/**',
    'examples/*/dist/**',
    'examples/{next,react}/**',
    'test-results/**',
    'playwright-report/**',
    '.venv/**',
  ],
  rules: asErrors(RULES),
  overrides: [
    // The compiler does not check these files.
    { files: ['**/*.js'], rules: asErrors(['no-undef']) },
    {
      files: ['**/*.ts'],
      rules: {
        ...asErrors(TYPESCRIPT_RULES, 'typescript/'),
        // Type imports count, because they also couple the modules.
        'import/no-cycle': ['error', { ignoreTypes: false }],
        'typescript/ban-ts-comment': ['error', { minimumDescriptionLength: 10 }],
        'typescript/restrict-plus-operands': [
          'error',
          { allowAny: false, allowBoolean: false, allowNullish: false, allowNumberAndString: false, allowRegExp: false },
        ],
        'typescript/restrict-template-expressions': ['error', { allowNumber: true }],
        'typescript/return-await': ['error', 'error-handling-correctness-only'],
      },
    },
    ...importDirection,
    {
      files: ['src/**/*.ts', 'workers/**/*.ts'],
      rules: {
        'eslint-js/no-restricted-syntax': [
          'error',
          { selector: 'ImportExpression[source.value=/^onnxruntime-web/]', message: 'Only src/ort may import ONNX Runtime.' },
        ],
      },
    },
    { files: ['src/ort/**'], rules: { 'eslint-js/no-restricted-syntax': 'off' } },
    {
      files: ['src/**/*.ts'],
      rules: {
        'no-restricted-globals': [
          'error',
          { name: 'ResizeObserver', message: 'Use onResize: a layout change inside the observer causes a page error.' },
          { name: 'fetch', message: "Use fetchFile: the browser's messages for failed connections are not user-friendly." },
        ],
      },
    },
    // The model store and the service worker call fetch directly.
    {
      files: ['src/ui-kit/dom.ts', 'src/util/host.ts', 'src/util/nodeHost.ts', 'src/store/**', 'src/sw/**', '**/*.test.ts'],
      rules: { 'no-restricted-globals': 'off' },
    },
  ],
});
