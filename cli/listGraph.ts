/** `compare --list`: the layers of a graph, their values and shapes. */
import type { ListedValue } from '../src/compare/matchValues';
import type { Opened } from '../src/engine/comparator';

/** Result from the page. */
export interface GraphList {
  readonly model: string;
  readonly inputs: Opened['graph']['inputs'];
  readonly values: readonly ListedValue[];
}

/** The list as text: a heading for each module in the file, followed by the values that the module computes. */
export function listText({ model, inputs, values }: GraphList): string {
  const width = Math.min(60, values.reduce((most, { name }) => Math.max(most, name.length), 0));
  const lines = values.flatMap((value, index) => {
    const { name, op, module, dtype } = value;
    const before = index === 0 ? null : values[index - 1]!.module;
    return [...(module === before ? [] : [headingOf(module)]), `  ${name.padEnd(width)}  ${op}, ${dtype} ${shapeOf(value)}`];
  });
  const taken = inputs.map(({ name, dtype, shape }) => `${name}: ${dtype} (${shape.join(', ')})`);
  return [`${model}: ${values.length} ${values.length === 1 ? 'value' : 'values'}, inputs ${taken.join('; ') || 'none'}`, ...lines, ''].join('\n');
}

function headingOf(module: string | null): string {
  if (module === null) return 'no known layer';
  return module === '' ? 'the network itself' : `layer ${module}`;
}

const shapeOf = ({ shape }: ListedValue): string => (shape ? `(${shape.join(', ')})` : 'unknown shape');
