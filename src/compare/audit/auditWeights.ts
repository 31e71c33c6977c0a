import { graphOf } from '../../onnx/model';
import type { ModelProto } from '../../onnx/onnx_pb';
import { listWeights } from '../../onnx/weights';
import type { AuditEntry, AuditReport } from '../auditReport';
import type { NamedFile } from '../files/goldenFiles';
import type { OnStep } from '../stages';
import { readCheckpoint } from './checkpointFile';
import { entryOf, isLeftOut } from './auditEntries';
import { findFolds, scaledPairs } from './folded';
import type { Link } from './links';
import { matchWeights } from './match';
import { plainNorms, resizeSettings } from './notWeights';
import { pushTo } from './pushTo';
import { initialStates } from './recurrent';
import { transposedWeights } from './transposed';
import { checkpointTensors, graphTensors, measureTensors, type AuditTensor } from './tensors';

/**
 * Every tensor of weights of a graph, and of the checkpoint that it should hold, side by side.
 *
 * Weights are floating point numbers: integers (shapes, axes, counters) are left out, and so are tensors of a single
 * value (an epsilon, a factor) unless the other file has one of that name, the zeros that recurrent nodes begin
 * with, and the factors of Resize. What a file misplaces is listed whatever it holds. What a correct export changes is not
 * flagged: the weight of a linear layer, transposed for MatMul; gates in the order of ONNX; a folded batch norm whose values are
 * right; the inner norm of a GroupNorm.
 *
 * @param name of the model, for the report
 * @param checkpoint a `.safetensors`, `.npz` or `.gguf` file; null to look at the graph alone
 * @throws VoxlaneError `format` where the checkpoint cannot be read; what `onStep` throws
 */
export async function auditWeights(
  model: ModelProto,
  name: string,
  checkpoint: NamedFile | null,
  onStep: OnStep,
): Promise<AuditReport> {
  const graph = await measureTensors(
    graphTensors(listWeights(model), new Set([...initialStates(graphOf(model)), ...resizeSettings(graphOf(model))])),
    'weights of the graph',
    onStep,
  );
  if (!checkpoint) {
    const weights = graph.filter((tensor) => !isLeftOut(tensor, [])).map((tensor) => entryOf(tensor, null));
    return { model: name, weights, checkpoint: null, numFlagged: countFlagged(weights) };
  }
  const found = checkpointTensors(await readCheckpoint(checkpoint));
  const tensors = await measureTensors(found, 'weights of the checkpoint', onStep);
  const { weights, others } = await auditBoth(model, graph, tensors, onStep);
  return {
    model: name,
    weights,
    checkpoint: { file: checkpoint.name, weights: others },
    numFlagged: countFlagged(weights) + countFlagged(others),
  };
}

async function auditBoth(
  model: ModelProto,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
  onStep: OnStep,
): Promise<{ weights: AuditEntry[]; others: AuditEntry[] }> {
  const { links, missing, scaled } = await matchWeights(model, graph, checkpoint, onStep);
  const excuse = foldingExcuse(model, checkpoint);
  const folds = findFolds(graphOf(model), graph, checkpoint, [...scaled, ...scaledPairs(links)]);
  const transposed = transposedWeights(graphOf(model), graph, checkpoint, links);
  const plain = plainNorms(graphOf(model), graph);
  const scaledOf = new Map(Array.from(scaled, ([ours, theirs]) => [theirs, ours]));
  const entries = (side: 'graph' | 'checkpoint'): AuditEntry[] => {
    const [own, tensors, multiples] = side === 'graph' ? [graph, checkpoint, scaled] : [checkpoint, graph, scaledOf];
    const linksOf = new Map<number, Link[]>();
    for (const link of links) pushTo(linksOf, link[side], link);
    return own.flatMap((tensor, index) => {
      const ownLinks = linksOf.get(index) ?? [];
      if (isLeftOut(tensor, ownLinks)) return [];
      const multiple = tensors[multiples.get(index) ?? -1] ?? null;
      const parts = side === 'graph' ? (missing.get(index) ?? []) : [];
      const fold = folds.find((each) => each[side].includes(index)) ?? null;
      return [entryOf(tensor, { side, tensors, links: ownLinks, missing: parts, scaled: multiple, excuse, fold, transposed, isPlainNorm: side === 'graph' && plain.has(index) })];
    });
  };
  return { weights: entries('graph'), others: entries('checkpoint') };
}

/** Why weights around a batch norm may have no counterpart; null where all of them are still nodes of the graph. */
function foldingExcuse(model: ModelProto, checkpoint: readonly AuditTensor[]): string | null {
  const numNodes = graphOf(model).node.filter(({ opType }) => opType === 'BatchNormalization').length;
  const numNorms = checkpoint.filter(({ name }) => /(running|moving)_mean$/.test(name)).length;
  if (numNorms <= numNodes) return null;
  const nodes = numNodes === 0 ? 'no BatchNormalization node' : `only ${numNodes} BatchNormalization nodes`;
  return `perhaps by folding: the checkpoint has ${numNorms} batch norms and the graph ${nodes}`;
}

const countFlagged = (entries: readonly AuditEntry[]): number => entries.filter(({ flags }) => flags.length > 0).length;
