/** The modules of the original network that the nodes of an exported graph come from. */
import type { NodeProto } from './onnx_pb';

/** A node's place among the modules of the original network. */
export interface Scope {
  /**
   * Paths of the module that computes the node, as PyTorch names it (`blocks.0.att.q`; empty for the network itself).
   * More than one if the node's name is ambiguous.
   */
  readonly paths: readonly string[];
  /** True if the path comes from metadata, false if it comes from a name, which may have been chosen freely. */
  readonly isCertain: boolean;
}

/** Keys of `metadata_props` that PyTorch's newer exporter writes to each node. */
const NAME_SCOPES = 'pkg.torch.onnx.name_scopes';
const CLASS_HIERARCHY = 'pkg.torch.onnx.class_hierarchy';
const NAMESPACE = 'namespace';

/**
 * The module that a node belongs to; null if it is not known.
 *
 * PyTorch's newer exporter writes it into the node's metadata, its older one into the names of nodes and values:
 * `/blocks.0/att/q/MatMul`. Names without a leading slash are ignored.
 */
export function scopeOf(node: NodeProto): Scope | null {
  const fromMetadata = metadataPath(node);
  if (fromMetadata !== null) return { paths: [fromMetadata], isCertain: true };
  const named = [node.name, ...node.output].find((name) => name.startsWith('/'));
  return named === undefined ? null : { paths: pathsOfName(named), isCertain: false };
}

/** Splits the name of a stage into module and run: `residual.act#2@0` is from the second run of `residual.act`. */
export function moduleOf(stage: string): { readonly path: string; readonly run: number } {
  const [, path = stage, run = '1'] = /^(.*?)(?:#(\d+))?(?:@[\w.]+)?$/s.exec(stage) ?? [];
  return { path, run: Number(run) };
}

/** Whether a node belongs to the module at `path`, or to one within it. */
export const isWithin = (path: string, { paths }: Scope): boolean =>
  paths.some((own) => own === path || own.startsWith(`${path}.`));

function metadataPath({ metadataProps }: NodeProto): string | null {
  const valueOf = (wanted: string): string | undefined => metadataProps.find(({ key }) => key === wanted)?.value;
  const scopes = listOf(valueOf(NAME_SCOPES));
  // The last is the operator, the one before it the innermost module.
  if (scopes && scopes.length > 1) return scopes.at(-2)!;
  const namespace = valueOf(NAMESPACE);
  if (namespace === undefined) return null;
  const parts = namespace.split('/').map((part) => part.slice(0, part.lastIndexOf(': ')));
  const depth = listOf(valueOf(CLASS_HIERARCHY))?.length ?? parts.length;
  return parts.length > 1 && depth === parts.length ? parts.at(-2)! : null;
}

/** A list of strings as Python prints it: `['', 'blocks.0', 'linear']`. */
function listOf(text: string | undefined): string[] | null {
  if (text === undefined || !/^\[.*\]$/s.test(text)) return null;
  return [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map(([, single, double]) => single ?? double ?? '');
}

/**
 * `/features/features.0/conv/Conv` to `features.0.conv`. In a container that runs itself (Sequential), the name of a module
 * repeats that of the container; in one that does not run (ModuleList), it does not: `/blocks.0/q/MatMul`. A list with the
 * name of its parent module looks the same, so both readings are returned.
 */
function pathsOfName(name: string): string[] {
  const segments = name.slice(1).split('/').slice(0, -1);
  const merged = segments.map((segment, index) => {
    const before = segments[index - 1];
    return before !== undefined && segment.startsWith(`${before}.`) ? segment.slice(before.length + 1) : segment;
  });
  return [...new Set([merged.join('.'), segments.join('.')])];
}
