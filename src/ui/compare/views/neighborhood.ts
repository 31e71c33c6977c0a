import { h } from '../../dom';
import { fact } from '../controls';
import { neighborhoodOf, type GraphNode, type Neighborhood, type NodeInput } from '../neighborhood';
import { whenChanged, type Section, type SectionContext } from '../section';
import { text } from '../text';

/** A value can be read by many nodes, and be computed from many stages. */
const MAX_ITEMS = 8;

/** Where the stage that is looked at is in the graph: its node, what the node reads, and what computes that. */
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

/** A button that goes to a stage. */
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

/** An input with its type, or with the node that computes it and what that reads. */
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
