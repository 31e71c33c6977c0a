/** A graph for tests of bisection. Its random numbers differ between backends even if both are correct. */
import { readFileSync, writeFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import type { BisectReport } from '../../src/compare/report';
import { encodeOnnx, graphInfo, parseOnnx } from '../../src/onnx/model';
import { build, float, node } from './build';

/** Writes the graph to an ONNX file. */
export function writeNoiseGraph(path: string): void {
  const nodes = [
    node('Relu', ['x'], ['positive'], { name: 'relu' }),
    node('RandomNormalLike', ['positive'], ['noise'], { name: 'random' }),
    node('Add', ['positive', 'noise'], ['y'], { name: 'sum' }),
  ];
  writeFileSync(path, encodeOnnx(build({ node: nodes, input: [float('x', null, 4, 4)], output: [float('y', null, 4, 4)] })));
}

/**
 * What `bisect --json --out` reports of the graph.
 *
 * @param stdout of the command
 * @param report path of the zip file
 */
export function foundBy(stdout: string, report: string): unknown {
  const { node: found, alone, verdict, numNodes } = JSON.parse(stdout) as BisectReport;
  const files = unzipSync(readFileSync(report));
  return {
    verdict,
    numNodes,
    name: found?.name,
    op: found?.op,
    alone: alone?.verdict,
    minimalGraph: graphInfo(parseOnnx(files['graph.onnx']!, 'graph.onnx')).nodes.map(({ op }) => op),
    hasInputs: Object.keys(files).some((name) => name.startsWith('inputs/')),
  };
}

/** What it must report: the node whose values differ, also if it runs alone, with its inputs. */
export const NOISE_FOUND = {
  verdict: 'fail',
  numNodes: 3,
  name: 'random',
  op: 'RandomNormalLike',
  alone: 'fail',
  minimalGraph: ['RandomNormalLike'],
  hasInputs: true,
};
