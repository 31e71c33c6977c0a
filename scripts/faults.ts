/** Faults that `npx tsx scripts/plantFaults.ts` plants in the sources, one at a time. */
export interface Fault {
  readonly name: string;
  readonly file: string;
  /** Text that occurs exactly once in the file; it is replaced by `replace`. */
  readonly find: string;
  readonly replace: string;
  /** Unit tests to run; by default those that import the file. */
  readonly units?: readonly string[];
  /** Browser tests to run if the unit tests pass. */
  readonly specs?: readonly string[];
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'swapped LSTM gates in the WASM kernel',
    file: 'src/nn/assembly/lstm.ts',
    find: 'updateState(o, c, v128.load(g), v128.load(g, 16), v128.load(g, 32), v128.load(g, 48));',
    replace: 'updateState(o, c, v128.load(g), v128.load(g, 32), v128.load(g, 16), v128.load(g, 48));',
    // No test imports the file, because a build plugin compiles it.
    units: ['src/nn/sequence.test.ts'],
  },
  {
    name: 'window hop off by one sample',
    file: 'src/audio/windows.ts',
    find: 'filled -= hopSamples;',
    replace: 'filled -= hopSamples - 1;',
  },
  {
    name: 'last window dropped',
    file: 'src/audio/windows.ts',
    find: 'yield { index, samples: held, isLast: true };',
    replace: 'if (filled === windowSamples) yield { index, samples: held, isLast: true };',
  },
  {
    name: 'halves round away from even in float16 weights',
    file: 'src/util/toFloat16.ts',
    find: '(rest === half && (quotient & 1) === 1)',
    replace: 'rest === half',
  },
  {
    name: 'scales of the rows for weights with channels in columns',
    file: 'src/weights/int8.ts',
    find: 'visit(run % channels, run * inner, (run + 1) * inner)',
    replace: 'visit(Math.floor(run / outer), run * inner, (run + 1) * inner)',
  },
  {
    name: 'canceled conversion leaves its pieces',
    file: 'src/weights/convert.ts',
    find: 'await sink.discard();',
    replace: '',
  },
  {
    name: 'weights of unknown hash used without trust on a later visit',
    file: 'src/weights/formNames.ts',
    find: '(trusted && trustUnknown)',
    replace: 'trusted',
  },
  {
    name: 'hamming instead of povey window',
    file: 'src/features/fbank.ts',
    find: 'return (0.5 - 0.5 * cosine) ** 0.85;',
    replace: 'return 0.54 - 0.46 * cosine;',
  },
  {
    name: 'RTTM rounding',
    file: 'src/formats/rttm.ts',
    find: 'if (Math.abs((seconds * 16) % 2) !== 1) return seconds.toFixed(3);',
    replace: 'return seconds.toFixed(3);',
  },
  {
    name: 'wrong VBx Fa',
    file: 'src/clustering/settings.ts',
    find: 'fa: 0.07,',
    replace: 'fa: 0.7,',
  },
  {
    name: 'a lost undo patch',
    file: 'src/editing/history.ts',
    find: 'this.#done.push({ type: edit.type, patch: patchBetween(this.#annotation, next) });',
    replace: "if (edit.type !== 'confirm-turn') this.#done.push({ type: edit.type, patch: patchBetween(this.#annotation, next) });",
  },
  {
    name: 'an unescaped export',
    file: 'src/formats/textExports.ts',
    find: "return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');",
    replace: "return text.replaceAll('&', '&amp;').replaceAll('>', '&gt;');",
  },
  {
    name: 'an unchecked model hash',
    file: 'src/store/load.ts',
    find: 'if (hash !== expected.sha256) throw',
    replace: 'if (hash.length !== expected.sha256.length) throw',
  },
  {
    name: 'an ignored abort signal',
    file: 'src/engine/engineLifetime.ts',
    find: 'onAbort(signal, () => this.abort?.(cancelled(signal)))',
    replace: '(): void => undefined',
    specs: ['calls'],
  },
  {
    name: 'an ignored GPU verdict',
    file: 'src/engine/selfCheck.ts',
    find: 'if (!allPassed(verdict.checks)) return describeFailure(verdict.checks);',
    replace: '',
  },
  {
    name: 'an ignored verdict on the WASM kernels',
    file: 'src/engine/selfCheck.ts',
    find: 'if (allPassed(checks)) {',
    replace: 'if (checks.length >= 0) {',
  },
  {
    name: 'a removed CSP directive',
    file: 'src/ui-kit/privacy/policy.ts',
    find: "  'form-action': [\"'none'\"],\n",
    replace: '',
    specs: ['csp'],
  },
  {
    name: 'stable choice between equal scores of the speaker cache',
    file: 'src/sortformer/topk.ts',
    find: 'else if (k > 0) queue.selectNth(k - 1);',
    replace: 'else queue.positions.sort((a, b) => values[b]! - values[a]! || a - b);',
  },
  {
    name: 'first probabilities of the speaker cache kept',
    file: 'src/sortformer/speakerCache.ts',
    find: 'this.compressed ? this.probabilities : pooled(0, this.cacheFrames)',
    replace: 'this.probabilities',
  },
  {
    name: 'padding behind a recording not masked',
    file: 'src/sortformer/chunkLoop.ts',
    find: 'this.padding = isPadding ? 1 : 0;',
    replace: '',
  },
  {
    name: 'last chunk of a stream decided with look-ahead',
    file: 'src/sortformer/chunkLoop.ts',
    find: 'yield* this.collect(melFrames, !isOffline);',
    replace: 'yield* this.collect(melFrames, false);',
  },
];
