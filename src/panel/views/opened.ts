import { shapeText } from '../../compare/tensor';
import type { Opened, OpenedStage } from '../../engine/comparator';
import { SHIPPED_MODELS, type ShippedModel } from '../../store/manifest';
import { button, fact } from '../../ui-kit/controls';
import { h, setAttribute, setText } from '../../ui-kit/dom';
import { fileButton, type FileButtonOptions } from '../../ui-kit/files';
import { count } from '../../ui-kit/format';
import { engineLanguage } from '../../ui-kit/texts/language';
import { type Section, type SectionContext, whenChanged } from '../section';
import type { State } from '../state';
import { text } from '../text';

/**
 * Accepts any file, because the type is detected from the content. Phones do not know the extensions and would offer
 * none of the files.
 */
const FILES: FileButtonOptions = { accept: '', isMultiple: true, isFolder: false, isPrimary: true, testId: 'file-input' };
const FOLDER: FileButtonOptions = { ...FILES, isFolder: true, isPrimary: false, testId: 'folder-input' };

/** A decorative preview of a result: passing stages, the first failing one, and those after it. */
const GHOST = ['pass', 'pass', 'pass', 'fail', 'after', 'after', 'after'] as const;

/** The start view, before any files are opened. */
export function openZone({ scope, actions }: SectionContext): Section {
  const models = (Object.keys(SHIPPED_MODELS) as ShippedModel[]).map((model) =>
    button(
      scope,
      { 'data-testid': `shipped-${model}` },
      () => {
        actions.openShipped(model);
      },
      text.empty.models[model],
    ),
  );
  const { empty } = text;
  const element = h(
    'section',
    { class: 'drop-zone', 'data-testid': 'drop-zone' },
    h('div', { class: 'ghost chain', 'aria-hidden': 'true' }, ...GHOST.map((kind) => h('span', { class: `chain__stage chain__stage--${kind}` }))),
    h(
      'div',
      { class: 'drop-zone__body' },
      h('h2', { class: 'drop-zone__heading' }, empty.heading),
      h('p', { class: 'drop-zone__lead' }, empty.lead),
      h(
        'div',
        { class: 'button-row' },
        fileButton(scope, empty.choose, actions.open, FILES),
        fileButton(scope, empty.folder, actions.open, FOLDER),
      ),
      h('p', { class: 'fine', id: 'shipped-models' }, empty.shipped),
      h('div', { class: 'button-row button-row--tight', role: 'group', 'aria-labelledby': 'shipped-models' }, ...models),
    ),
    h(
      'dl',
      { class: 'drop-zone__facts' },
      ...empty.facts.map(([name, value]) => h('div', {}, h('dt', { class: 'legend' }, name), h('dd', {}, value))),
    ),
  );
  return {
    element,
    update({ opened, job }) {
      element.hidden = opened !== null || job !== null;
    },
  };
}

/** The facts about the models, the golden outputs and the machine, which a report needs to be useful. */
export function factsPanel(): Section {
  const element = h('section', { class: 'panel facts-panel', hidden: true });
  return {
    element,
    update: whenChanged(
      ({ opened, environment }) => [opened, environment],
      ({ opened, environment }) => {
        element.hidden = opened === null;
        if (!opened) return;
        element.replaceChildren(
          part(text.facts.graph, graphDetails(opened)),
          ...(opened.goldens ? [part(text.facts.goldens, goldenDetails(opened.goldens))] : []),
          ...(environment
            ? [part(text.facts.machine, Object.entries(environment).map(([name, value]) => given(name, value)))]
            : []),
        );
      },
    ),
  };
}

const part = (heading: string, facts: readonly HTMLElement[]): HTMLElement =>
  h('div', {}, h('h3', { class: 'legend' }, heading), h('dl', { class: 'facts facts--dense' }, ...facts));

/** A fact with a name from the engine or the bundle. */
const given = (name: string, value: string): HTMLElement => {
  const element = fact(name, h('span', { class: 'mono' }, value));
  setAttribute(element, 'lang', engineLanguage);
  return element;
};

function graphDetails({ graph, checkpoint }: Opened): HTMLElement[] {
  const { facts } = text;
  const mono = (value: string): HTMLElement => h('span', { class: 'mono' }, value);
  return [
    fact(facts.sha256, h('span', { class: 'mono sha', 'data-testid': 'model-sha256' }, graph.sha256)),
    fact(facts.producer, graph.producer),
    fact(facts.opset, mono(String(graph.opset))),
    fact(facts.nodes, mono(count(graph.numNodes))),
    fact(facts.size, mono(facts.bytes(graph.bytes))),
    fact(facts.inputs, ...graph.inputs.map(({ name, dtype, shape }) => mono(facts.input(name, dtype, `(${shape.join(', ')})`)))),
    ...(checkpoint === null ? [] : [fact(facts.checkpoint, mono(checkpoint))]),
  ];
}

function goldenDetails({ file, source, notes }: NonNullable<Opened['goldens']>): HTMLElement[] {
  const words = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  return [
    fact(text.facts.file, h('span', { class: 'mono' }, file)),
    ...Object.entries(source).map(([name, value]) => given(name, words(value))),
    ...(notes.length > 0 ? [fact(text.facts.notes, ...notes.map((note) => h('span', { lang: engineLanguage }, note)))] : []),
  ];
}

const LIST_ID = 'graph-values';

/** The stages without a known graph value, in a collapsed section. The user can enter the values. */
export function mapping({ scope, actions }: SectionContext): Section {
  const heading = h('summary', { 'data-testid': 'mapping-summary' });
  // Suggestions instead of a select, because a graph has thousands of values and typing finds them faster.
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
    // Rendered only when visible: there can be hundreds of fields and thousands of suggestions.
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
  // A comparison maps some stages by their values.
  const compared = new Set((reports.wasm ?? reports.webgpu)?.stages.map(({ name }) => name));
  return opened?.goldens?.stages.filter(({ name, isMapped }) => !isMapped && !compared.has(name)) ?? [];
}
