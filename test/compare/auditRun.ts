import { readFileSync } from 'node:fs';
import { parseOnnx } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import type { AuditEntry, AuditFlag, AuditReport } from '../../src/compare/report';
import type { Tensor } from '../../src/compare/tensor';
import { auditWeights } from '../../src/compare/audit/auditWeights';
import { safetensorsOf } from './checkpointFiles';

/** The graph of a bundled model. */
export function openShipped(id: 'segmentation-3.0' | 'campplus-zh-en'): ModelProto {
  return parseOnnx(new Uint8Array(readFileSync(`models/${id}/model.onnx`)), id);
}

/** Audits a graph against these tensors as a `.safetensors` file. */
export function audit(model: ModelProto, tensors: ReadonlyMap<string, Tensor>): Promise<AuditReport> {
  return auditWeights(model, 'model', { name: 'c.safetensors', bytes: safetensorsOf(tensors) }, () => undefined);
}

export function entryNamed(entries: readonly AuditEntry[] | undefined, name: string): AuditEntry {
  const found = entries?.find((entry) => entry.name === name);
  if (!found) throw new Error(`no entry ${name}`);
  return found;
}

/** Flags by name, for flagged entries. */
export function flagsOf(entries: readonly AuditEntry[]): Record<string, readonly AuditFlag[]> {
  return Object.fromEntries(entries.filter(({ flags }) => flags.length > 0).map(({ name, flags }) => [name, flags]));
}
