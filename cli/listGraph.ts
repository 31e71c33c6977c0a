/** `compare --list`: the layers of a graph, their values and shapes. */
import type { ListedValue } from '../src/compare/listValues';
import type { Opened } from '../src/pipeline/comparatorTypes';

/** What the page gives. */
export interface GraphList {
  readonly model: string;
  readonly inputs: Opened['graph']['inputs'];
  readonly values: readonly ListedValue[];
}

/** The list as text: a heading for each module that the file names, below it the values that it computes. */
export function listText({ model, inputs, values }: GraphList): string {
  const width = Math.min(60, Math.max(...values.map(({ name }) => name.length)));
  const lines = values.flatMap((value, index) => {
    const { name, op, module, dtype } = value;
    const isNew = module !== null && (index === 0 || values[index - 1]!.module !== module);
    const heading = isNew ? [module === '' ? 'the network itself' : `layer ${module}`] : [];
    return [...heading, `  ${name.padEnd(width)}  ${op}, ${dtype} ${shapeOf(value)}`];
  });
  const taken = inputs.map(({ name, dtype, shape }) => `${name}: ${dtype} (${shape.join(', ')})`);
  return [`${model}: ${values.length} values, inputs ${taken.join('; ') || 'none'}`, ...lines, ''].join('\n');
}

const shapeOf = ({ shape }: ListedValue): string => (shape ? `(${shape.join(', ')})` : 'of unknown shape');
