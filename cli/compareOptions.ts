import { parseArgs } from 'node:util';
import type { BackendName } from '../src/compare/report';
import type { ToleranceOverride } from '../src/compare/stageTolerance';
import { number, oneOf } from './arguments';

/** What `compare` prints for --help. */
export const HELP = `Usage: npm run --silent compare -- BUNDLE [options]
       npm run --silent compare -- --list MODEL [BUNDLE]

Runs a model on the inputs of a golden bundle, compares every stage, and names the first that is wrong by itself.
BUNDLE is a golden bundle (.zip or folder), .npz, .npy or .safetensors file, or the name of a shipped model.

  --model FILE.onnx           the graph to test (default: the shipped model that the bundle is of)
  --backend webgpu|wasm|both  where it runs (default wasm)
  --map STAGE=VALUE           take VALUE of the graph for STAGE, if it was not found; may be repeated
  --rtol X                    greatest error of a stage, relative to its golden values (root mean squares; default 1e-4
                              for float32, 7.8e-3 for float16, 0 for whole numbers)
  --atol X                    absolute error that passes --rtol at any scale (default 1.2e-7; 0 for whole numbers)
  --cosine X                  least cosine between a stage and its golden values
                              These replace the bundle's tolerance; --rtol and --atol also its absolute bound.
  --list                      print the layers of MODEL with their values and shapes, without a comparison
  --thorough                  look for differences between runs and batch sizes in stages that pass, too
  --json                      the report as JSON on standard output
  --help                      this text

Exit status: 0 if every stage that was compared passes; 1 if one fails; 2 after an error, if fewer than half of the stages
or no output of the graph were compared (even if a stage fails), or if one of two backends could not run and the other passes.
`;

export interface CompareCommand {
  /** A bundle; with `list`, a graph and optionally a bundle with its inputs. */
  readonly files: readonly string[];
  readonly list: boolean;
  readonly model: string | undefined;
  readonly backend: BackendName | 'both';
  readonly map: readonly (readonly [string, string])[];
  readonly tolerance: ToleranceOverride;
  readonly thorough: boolean;
  readonly json: boolean;
}

/** @throws Error for arguments that make no command */
export function parseCommand(args: readonly string[]): CompareCommand | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      backend: { type: 'string', default: 'wasm' },
      map: { type: 'string', multiple: true, default: [] },
      rtol: { type: 'string' },
      atol: { type: 'string' },
      cosine: { type: 'string' },
      list: { type: 'boolean', default: false },
      thorough: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { list } = values;
  if (list ? positionals.length < 1 || positionals.length > 2 : positionals.length !== 1) {
    throw new Error(list ? 'expected one graph, and a bundle or none. Try --help.' : 'expected one bundle. Try --help.');
  }
  return {
    files: positionals,
    list,
    model: values.model,
    backend: oneOf('--backend', values.backend, ['webgpu', 'wasm', 'both']),
    map: values.map.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`--map is ${pair}. Expected STAGE=VALUE.`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
    tolerance: toleranceOf(values),
    thorough: values.thorough,
    json: values.json,
  };
}

function toleranceOf(texts: { readonly rtol?: string; readonly atol?: string; readonly cosine?: string }): ToleranceOverride {
  const [rtol, atol, cosine] = (['rtol', 'atol', 'cosine'] as const).map((name) => number(`--${name}`, texts[name]));
  for (const [name, value] of [['rtol', rtol], ['atol', atol]] as const) {
    if (value !== undefined && value < 0) throw new Error(`--${name} is ${value}. Expected 0 or more.`);
  }
  if (cosine !== undefined && Math.abs(cosine) > 1) throw new Error(`--cosine is ${cosine}. Expected a number from -1 to 1.`);
  return { ...(rtol !== undefined && { rtol }), ...(atol !== undefined && { atol }), ...(cosine !== undefined && { cosine }) };
}
