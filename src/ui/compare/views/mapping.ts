import { shapeText } from '../../../compare/tensor';
import { h, setText } from '../../dom';
import { whenChanged, type Section, type SectionContext } from '../section';
import { text } from '../text';

const LIST_ID = 'graph-values';

/** Stages that nobody knows the graph's value of: the person does. */
export function mapping({ scope, actions }: SectionContext): Section {
  const heading = h('h3', { class: 'legend' });
  // A list of suggestions and not a select: a graph has thousands of values, and typing finds them.
  const values = h('datalist', { id: LIST_ID });
  const list = h('div', { class: 'mapping__stages' });
  const element = h('section', { class: 'panel mapping', hidden: true, 'data-testid': 'mapping' }, heading, h('p', { class: 'fine' }, text.mapping.hint), list, values);
  let rows = scope.child();
  return {
    element,
    update: whenChanged(
      ({ opened, reports }) => [opened, reports],
      ({ opened, reports }) => {
        // A comparison finds some stages by their values.
        const [report] = [reports.wasm, reports.webgpu].filter((one) => one !== null);
        const compared = new Set(report?.stages.map(({ name }) => name));
        const stages = opened?.goldens?.stages.filter(({ name, isMapped }) => !isMapped && !compared.has(name)) ?? [];
        element.hidden = stages.length === 0;
        if (!opened || stages.length === 0) return;
        setText(heading, text.mapping.heading(stages.length));
        values.replaceChildren(...opened.graph.values.map(({ name, op }) => h('option', { value: name }, op)));
        const known = new Set(opened.graph.values.map(({ name }) => name));
        rows.dispose();
        rows = scope.child();
        list.replaceChildren(
          ...stages.map(({ name, goldenShape }) => {
            const problem = h('span', { class: 'fine', role: 'status' });
            const input = h('input', {
              class: 'field mono',
              list: LIST_ID,
              placeholder: text.mapping.placeholder,
              spellcheck: 'false',
              autocomplete: 'off',
              'aria-label': text.mapping.label(name),
              'data-testid': `map-${name}`,
            });
            rows.on(input, 'change', () => {
              const isKnown = known.has(input.value);
              input.setAttribute('aria-invalid', String(!isKnown && input.value !== ''));
              setText(problem, isKnown || input.value === '' ? '' : text.mapping.unknown);
              if (isKnown) actions.mapStage(name, input.value);
            });
            return h('div', { class: 'mapping__stage' }, h('span', { class: 'mono' }, name, h('span', { class: 'fine' }, ` ${shapeText(goldenShape)}`)), input, problem);
          }),
        );
      },
    ),
  };
}
