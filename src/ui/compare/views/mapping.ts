import { shapeText } from '../../../compare/tensor';
import type { OpenedStage } from '../../../pipeline/comparatorTypes';
import { h, setText } from '../../dom';
import { whenChanged, type Section, type SectionContext } from '../section';
import type { State } from '../state';
import { text } from '../text';

const LIST_ID = 'graph-values';

/** The stages without a known value in the graph, folded into one line; the person may name the values. */
export function mapping({ scope, actions }: SectionContext): Section {
  const heading = h('summary', { 'data-testid': 'mapping-summary' });
  // A list of suggestions and not a select: a graph has thousands of values, and typing finds them.
  const values = h('datalist', { id: LIST_ID });
  const list = h('div', { class: 'mapping__stages' });
  const element = h(
    'details',
    { class: 'panel mapping', hidden: true, 'data-testid': 'mapping' },
    heading,
    h('p', { class: 'fine' }, text.mapping.hint),
    list,
    values,
  );
  let rows = scope.child();
  let latest: State | null = null;

  const fill = (state: State): void => {
    const stages = uncomparedStages(state);
    element.hidden = stages.length === 0;
    setText(heading, text.mapping.heading(stages.length));
    rows.dispose();
    rows = scope.child();
    const { opened, reports } = state;
    // A field for each of hundreds of stages, and thousands of suggestions: only if they can be seen.
    if (!opened || !element.open) {
      list.replaceChildren();
      values.replaceChildren();
      return;
    }
    values.replaceChildren(...opened.graph.values.map(({ name, op }) => h('option', { value: name }, op)));
    const known = new Set(opened.graph.values.map(({ name }) => name));
    const merged = new Map((reports.wasm ?? reports.webgpu)?.coverage.uncompared.map(({ name, mergedWith }) => [name, mergedWith]));
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
        const mergedWith = merged.get(name) ?? null;
        return h(
          'div',
          { class: 'mapping__stage' },
          h(
            'span',
            { class: 'mono' },
            name,
            h('span', { class: 'fine' }, ` ${shapeText(goldenShape)}`),
            mergedWith !== null && h('span', { class: 'fine' }, ` ${text.verdict.mergedWith(mergedWith)}`),
          ),
          input,
          problem,
        );
      }),
    );
  };
  scope.on(element, 'toggle', () => {
    if (latest) fill(latest);
  });
  const update = whenChanged(({ opened, reports }) => [opened, reports], fill);
  return {
    element,
    update(state) {
      latest = state;
      update(state);
    },
  };
}

function uncomparedStages({ opened, reports }: State): OpenedStage[] {
  // A comparison finds some stages by their values.
  const compared = new Set((reports.wasm ?? reports.webgpu)?.stages.map(({ name }) => name));
  return opened?.goldens?.stages.filter(({ name, isMapped }) => !isMapped && !compared.has(name)) ?? [];
}
