import type { Opened } from '../../engine/comparator';
import { fact } from '../../ui-kit/controls';
import { h } from '../../ui-kit/dom';
import { type Section, type SectionContext, whenChanged } from '../section';
import type { State } from '../state';
import { text } from '../text';

/** A node of the opened graph. */
export type GraphNode = Opened['graph']['nodes'][number];

/** A value that a node reads. */
interface NodeInput {
  readonly name: string;
  /** The node that computes it; null for a weight or a graph input. */
  readonly from: GraphNode | null;
  /** Type and axis sizes of a weight or a graph input; otherwise null. */
  readonly type: { readonly isWeight: boolean; readonly dtype: string; readonly shape: readonly (number | string)[] } | null;
  /** The stage with this value; null if it is not compared. */
  readonly stage: string | null;
}

/** The place of a stage in the graph. */
interface Neighborhood {
  /** The graph value of the stage. */
  readonly value: string;
  /** The node that computes it. */
  readonly node: GraphNode;
  /** Inputs of the node, in operator order. */
  readonly inputs: readonly NodeInput[];
  /** Nodes that read the value. */
  readonly readers: readonly GraphNode[];
  /** The nearest compared stages that the stage depends on, in graph order. */
  readonly before: readonly string[];
  /** Number of nodes by operator between these stages, or the graph inputs, and this stage, including its own node. */
  readonly ops: ReadonlyMap<string, number>;
}

/** The place of a stage in the graph; null if no node computes it. */
export function neighborhoodOf(state: Pick<State, 'opened' | 'reports'>, stage: string): Neighborhood | null {
  const { opened, reports } = state;
  const stageOfValue = new Map<string, string>();
  let value: string | null = null;
  // A comparison maps values that were unknown when the files were opened.
  for (const entry of [...(reports.wasm?.stages ?? []), ...(reports.webgpu?.stages ?? [])]) {
    if (entry.name === stage) value = entry.value;
    if (entry.value !== null && !stageOfValue.has(entry.value)) stageOfValue.set(entry.value, entry.name);
  }
  if (!opened || value === null) return null;
  const { nodes, weights, inputs } = opened.graph;
  const computedBy = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const node = computedBy.get(value);
  if (!node) return null;
  const declared = new Map<string, NodeInput['type']>([
    ...weights.map(({ name, dtype, shape }) => [name, { isWeight: true, dtype, shape }] as const),
    ...inputs.map(({ name, dtype, shape }) => [name, { isWeight: false, dtype, shape }] as const),
  ]);
  const seen = new Set([node]);
  const before = new Set<string>();
  // Iterating over a set includes elements added during the iteration.
  for (const { inputs: read } of seen) {
    for (const name of read) {
      const known = stageOfValue.get(name);
      const from = computedBy.get(name);
      if (known !== undefined && known !== stage) before.add(known);
      else if (from) seen.add(from);
    }
  }
  const ops = new Map<string, number>();
  for (const { op } of seen) if (op !== 'Constant') ops.set(op, (ops.get(op) ?? 0) + 1);
  return {
    value,
    node,
    inputs: node.inputs.map((name) => ({
      name,
      from: computedBy.get(name) ?? null,
      type: declared.get(name) ?? null,
      stage: stageOfValue.get(name) ?? null,
    })),
    readers: nodes.filter(({ inputs: read }) => read.includes(value)),
    before: [...stageOfValue.values()].filter((name) => before.has(name)),
    ops,
  };
}

/** Maximum number of listed items: a value can be read by many nodes and depend on many stages. */
const MAX_ITEMS = 8;

/** The place of the selected stage in the graph: its node, the inputs, and the nodes that compute them. */
export function neighborhood({ scope, actions }: SectionContext): Section {
  const element = h('div', { class: 'neighborhood', 'data-testid': 'neighborhood' });
  scope.on(element, 'click', ({ target }) => {
    const stage = target instanceof Element ? target.closest<HTMLElement>('[data-go-to]')?.dataset.goTo : undefined;
    if (stage !== undefined) actions.goTo(stage);
  });
  return {
    element,
    update: whenChanged(
      ({ opened, reports, look }) => [opened, reports, look.stage],
      ({ opened, reports, look }) => {
        const found = look.stage === null ? null : neighborhoodOf({ opened, reports }, look.stage);
        element.replaceChildren(
          h('h4', { class: 'legend' }, text.neighborhood.heading),
          found && look.stage !== null ? factsOf(look.stage, found) : h('p', { class: 'fine' }, text.neighborhood.none),
        );
      },
    ),
  };
}

/** A button that shows a stage. */
export const stageLink = (stage: string): HTMLElement => h('button', { type: 'button', class: 'stage-link mono', 'data-go-to': stage }, stage);

function factsOf(stage: string, { value, node, inputs, readers, before, ops }: Neighborhood): HTMLElement {
  const words = text.neighborhood;
  const mono = (content: string, testId: string | null = null): HTMLElement => h('span', { class: 'mono', 'data-testid': testId }, content);
  const attributes = attributesOf(node);
  return h(
    'dl',
    { class: 'facts facts--dense' },
    fact(text.bisect.op, mono(node.op, 'neighborhood-op')),
    ...(attributes.length > 0 ? [fact(text.bisect.attributes, ...attributes.map((attribute) => mono(attribute)))] : []),
    ...(value === stage ? [] : [fact(words.value, mono(value))]),
    ...(node.module === null ? [] : [fact(words.module, mono(node.module))]),
    ...(inputs.length > 0 ? [fact(text.bisect.inputs, ...someOf(inputs.map(inputLine)))] : []),
    fact(
      words.before,
      ...(before.length > 0 ? someOf(before.map(stageLink)) : [words.fromStart]),
      h(
        'span',
        { class: 'fine' },
        `${words.nodes([...ops.values()].reduce((sum, n) => sum + n, 0))}: `,
        h('span', { class: 'mono' }, Array.from(ops, ([op, n]) => (n > 1 ? `${n} × ${op}` : op)).join(', ')),
      ),
    ),
    ...(readers.length > 0 ? [fact(words.readers, ...someOf(readers.map(({ op, name }) => h('span', {}, mono(op), ' ', h('span', { class: 'fine mono' }, name)))))] : []),
  );
}

/** An input with its type or with the call of the node that computes it. */
function inputLine({ name, from, type, stage }: NodeInput): HTMLElement {
  const words = text.neighborhood;
  return h(
    'span',
    { class: 'neighborhood__input', 'data-testid': 'neighborhood-input' },
    stage === null ? h('span', { class: 'mono' }, name) : stageLink(stage),
    type && h('span', { class: 'fine' }, `${type.isWeight ? words.weight : words.input} · `, h('span', { class: 'mono' }, `${type.dtype} (${type.shape.join(', ')})`)),
    from && h('span', { class: 'fine mono' }, `= ${callOf(from)}`),
  );
}

/** `Conv(x, weight; pads [1, 1])`. */
function callOf(node: GraphNode): string {
  const attributes = attributesOf(node).join(', ');
  return `${node.op}(${node.inputs.join(', ')}${attributes && `; ${attributes}`})`;
}

const attributesOf = ({ attributes }: GraphNode): string[] => Object.entries(attributes).map(([name, value]) => `${name} = ${value}`);

const someOf = (items: readonly HTMLElement[]): HTMLElement[] =>
  items.length > MAX_ITEMS
    ? [...items.slice(0, MAX_ITEMS), h('span', { class: 'fine' }, text.verdict.andMore(items.length - MAX_ITEMS))]
    : [...items];
