/**
 * Command line: finds the first node of a graph whose result differs between WebGPU and WASM.
 *
 *     npx voxlane bisect MODEL.onnx [--input FILE.npy] [--json]
 */
import type { BisectReport } from '../src/compare/report';
import { isShipped } from '../src/store/manifest';
import { number, oneOf } from './arguments';
import { ENGINE_HELP, ENGINES } from './engineNames';
import { failureText } from './errorLine';
import { requirePath } from './inputs';
import { openComparison } from './openComparison';
import { print, requireWritable, warn, writeResult } from './output';
import { commandOf, runScript } from './script';
import { parseFlags, UsageError } from './usage';

export const HELP = `Usage: voxlane bisect MODEL.onnx [options]

Finds the first node whose result differs between WebGPU and WASM. Needs no golden outputs.
MODEL.onnx can also be a golden bundle with its graph inside, or the name of a bundled model.

  --input FILE.npy   input of the graph; with several inputs, one file per input, named after it
                     (default: generated values that are the same in every run)
  --tolerance X      maximum accepted difference, relative to a tensor's largest value (default 0.001)
  --engine node|browser
                     ${ENGINE_HELP}
  --out FILE.zip     write the node, its inputs and its WASM outputs as a golden bundle with its own graph
  --json             print the report as JSON on standard output
  --help             print this text

Exit status: 0 if both agree, 1 if they differ, 2 if nothing could be compared.
`;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      input: { type: 'string', multiple: true, default: [] },
      tolerance: { type: 'string' },
      engine: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    await print(HELP);
    return 0;
  }
  const [model, ...others] = positionals;
  if (model === undefined || others.length > 0) throw new UsageError('expected one graph. Try --help.');
  const tolerance = number('--tolerance', values.tolerance);
  const shipped = isShipped(model) ? model : null;
  if (shipped && values.input.length > 0) {
    throw new Error(`${model} already has a golden input. To use another input, pass models/${model}/model.onnx`);
  }
  const paths = [...(shipped ? [] : [model]), ...values.input];
  paths.forEach(requirePath);
  if (values.out !== undefined) requireWritable(values.out);
  const asked = values.engine === undefined ? undefined : oneOf('--engine', values.engine, ENGINES);
  const engine = await openComparison({ engine: asked, backends: ['wasm', 'webgpu'], command: 'bisect' });
  try {
    const answer = await engine.bisectFiles({ shipped, paths }, { tolerance });
    if (!answer.ok) {
      if (values.json) await print(`${JSON.stringify({ error: answer.error }, null, 2)}\n`);
      warn(`bisect: ${failureText(answer.error)}`);
      return 2;
    }
    const { report, bugReport } = answer.result;
    await print(values.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
    if (values.out !== undefined && bugReport !== null) writeResult(values.out, bugReport);
    return report.verdict === 'pass' ? 0 : 1;
  } finally {
    await engine.close();
  }
}

function describe({ model, adapter, node, range, alone, difference, numNodes, numProbes }: BisectReport): string {
  const head = `${model}: WASM against WebGPU on ${adapter ?? 'no adapter'}, ${numNodes} nodes, ${numProbes} probes`;
  if (range) {
    return [
      head,
      `fail: accumulated between ${range.first} and ${range.last}, ${range.numNodes} nodes`,
      `  difference: max abs ${difference?.maxAbs?.toExponential(2) ?? 'not finite'}`,
      '  alone:      each node is correct in isolation: accumulated rounding errors or a fused kernel',
      '',
    ].join('\n');
  }
  if (!node) return `${head}\npass: no value differs\n`;
  const shapes = (values: typeof node.inputs): string =>
    values.map(({ name, shape }) => `${name} (${shape.join(', ')})`).join(', ');
  const attributes = Object.entries(node.attributes).map(([name, value]) => `${name}=${value}`);
  return [
    head,
    `fail: first at ${node.op} ${node.name}`,
    `  attributes: ${attributes.join(', ') || 'none'}`,
    `  inputs:     ${shapes(node.inputs)}`,
    `  outputs:    ${shapes(node.outputs)}`,
    `  difference: max abs ${difference?.maxAbs?.toExponential(2) ?? 'not finite'}`,
    `  alone:      also wrong, max abs ${alone?.maxAbs?.toExponential(2) ?? 'not finite'}`,
    '',
  ].join('\n');
}

export const run = commandOf('bisect', 2, main);

await runScript(import.meta.url, run);
