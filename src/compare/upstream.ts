import type { GraphInfo } from '../onnx/model';
import type { GoldenStage } from './bundle';

/**
 * The stages that each stage is computed from, directly or indirectly, by name and in the order of `stages`. An earlier
 * stage with the same graph value counts too.
 */
export function upstreamStages(
  { nodes }: Pick<GraphInfo, 'nodes'>,
  stages: readonly { readonly golden: Pick<GoldenStage, 'name'>; readonly value: string }[],
): ReadonlyMap<string, readonly string[]> {
  const readBy = new Map(nodes.flatMap(({ inputs, captured, outputs }) => outputs.map((name) => [name, [...inputs, ...captured]])));
  const valuesBefore = (value: string): Set<string> => {
    const seen = new Set<string>();
    const open = [...(readBy.get(value) ?? [])];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      open.push(...(readBy.get(name) ?? []));
    }
    return seen;
  };
  return new Map(
    stages.map(({ golden, value }, index) => {
      const before = valuesBefore(value);
      const upstream = stages.filter((other, place) => before.has(other.value) || (place < index && other.value === value));
      return [golden.name, upstream.map((other) => other.golden.name)];
    }),
  );
}
