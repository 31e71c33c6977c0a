import { h } from '../../ui-kit/dom';
import { button } from '../../ui-kit/controls';
import { comparedRows, type State } from '../state';
import { isTolerance, type Section, type SectionContext, type ToleranceField, whenChanged } from '../section';
import { text } from '../text';

const FIELDS = ['rtol', 'maxAbs', 'cosine'] as const satisfies readonly ToleranceField[];

/** Editable tolerances. They only affect the view. */
export function tolerancePanel({ scope, actions }: SectionContext): Section {
  const body = h('tbody', {});
  const element = h(
    'details',
    { class: 'panel tolerances', hidden: true, 'data-testid': 'tolerances' },
    h('summary', {}, text.tolerances.summary),
    h('p', { class: 'fine' }, text.tolerances.hint),
    h(
      'div',
      { class: 'table-scroller table-scroller--tall', tabindex: 0, role: 'group', 'aria-label': text.tolerances.summary },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h('tr', {}, h('th', { scope: 'col' }, text.table.columns.stage), ...FIELDS.map((field) => h('th', { scope: 'col' }, text.tolerances[field]))),
        ),
        body,
      ),
    ),
    button(scope, { 'data-testid': 'tolerances-reset' }, actions.resetTolerances, text.tolerances.reset),
  );

  let rows = scope.child();
  let inputs: { readonly stage: string; readonly field: ToleranceField; readonly input: HTMLInputElement }[] = [];
  let names = '';
  const field = (stage: string | null, kind: ToleranceField): HTMLInputElement => {
    const input = h('input', {
      type: 'number',
      class: 'number',
      step: 'any',
      'aria-label': text.tolerances.field(text.tolerances[kind], stage ?? text.tolerances.all),
      'data-testid': `tolerance-${kind}-${stage ?? 'all'}`,
    });
    rows.on(input, 'input', () => {
      // An empty field means no absolute bound. Invalid text also has an empty value.
      const isEmpty = kind === 'maxAbs' && input.value === '' && !input.validity.badInput;
      const value = isEmpty ? Infinity : input.valueAsNumber;
      const isValid = isTolerance(kind, value);
      input.setAttribute('aria-invalid', String(!isValid));
      if (isValid) actions.setTolerance(stage, kind, value);
    });
    if (stage !== null) inputs.push({ stage, field: kind, input });
    return input;
  };
  const line = (stage: string | null): HTMLElement =>
    h(
      'tr',
      {},
      h('th', { scope: 'row', class: stage === null ? '' : 'mono' }, stage ?? text.tolerances.all),
      ...FIELDS.map((kind) => h('td', {}, field(stage, kind))),
    );

  const fill = (state: State): void => {
    const stages = comparedRows(state);
    element.hidden = stages.length === 0;
    // Rendered only when visible: there can be three fields for each of hundreds of stages.
    if (!element.open) return;
    const nextNames = stages.map(({ name }) => name).join('\n');
    if (nextNames !== names) {
      names = nextNames;
      rows.dispose();
      rows = scope.child();
      inputs = [];
      body.replaceChildren(line(null), ...stages.map(({ name }) => line(name)));
    }
    const tolerances = new Map(stages.map(({ name, tolerance }) => [name, tolerance]));
    for (const { stage, field: kind, input } of inputs) {
      const value = tolerances.get(stage)?.[kind];
      // Do not overwrite a field while the user is typing.
      if (input === document.activeElement || value === undefined) continue;
      input.value = value === Infinity ? '' : String(value);
      input.removeAttribute('aria-invalid');
    }
  };
  let latest: State | null = null;
  scope.on(element, 'toggle', () => {
    if (latest) fill(latest);
  });
  const update = whenChanged(({ reports, tolerances }) => [reports, tolerances], fill);
  return {
    element,
    update(state) {
      latest = state;
      update(state);
    },
  };
}
