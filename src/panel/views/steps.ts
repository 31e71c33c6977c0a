import type { StateReport, StepReport, StepsReport } from '../../compare/steps/stepsReport';
import { button, segmented } from '../../ui-kit/controls';
import { h, setText } from '../../ui-kit/dom';
import type { WeightsForm } from '../../weights/convert';
import { figure, secondsText } from '../figures';
import { type Section, type SectionContext, whenChanged } from '../section';
import { RUNTIMES, type State } from '../state';
import { text } from '../text';

/** One row of the table of steps. Rows stay in the page while steps are selected, so that the focus stays on its button. */
interface Row {
  readonly index: number;
  readonly element: HTMLElement;
  readonly choose: HTMLButtonElement;
  readonly cells: readonly HTMLElement[];
}

const FORMS: readonly WeightsForm[] = ['float32', 'float16', 'int8'];

/** The stepper of a model with a state: all recorded steps, and the errors of the selected one. Hidden for other models. */
export function steps({ scope, actions }: SectionContext): Section {
  const { columns } = text.steps;
  const body = h('tbody', {});
  const stages = h('tbody', {});
  const summary = h('p', { class: 'fine', 'data-testid': 'steps-summary' });
  let latest: State['opened'] = null;
  const move = (by: number): void => {
    const recorded = latest?.steps?.recorded ?? [];
    const next = recorded[recorded.findIndex(({ index }) => index === latest?.steps?.selected) + by];
    if (next) actions.selectStep(next.index);
  };
  const previous = button(scope, { 'data-testid': 'step-previous' }, () => { move(-1); }, text.steps.previous);
  const next = button(scope, { 'data-testid': 'step-next' }, () => { move(1); }, text.steps.next);
  const form = segmented<WeightsForm>(scope, text.steps.form, 'form', FORMS.map((name) => [name, name]), (choice) => { actions.chooseForm(choice); });
  const details = table(text.steps.stagesOf, [columns.stage, columns.golden, columns.own, columns.drift], stages, 'step-stages', 'figure');
  const element = h(
    'section',
    { class: 'panel steps', hidden: true, 'data-testid': 'steps', 'aria-label': text.steps.heading },
    h('h3', { class: 'legend' }, text.steps.heading),
    h('p', { class: 'fine' }, text.steps.hint),
    summary,
    h('div', { class: 'button-row button-row--tight' }, previous, next, form.element),
    table(text.steps.heading, [columns.step, columns.time, columns.verdict, columns.first, columns.state], body, 'step-table'),
    details,
  );
  let rows: readonly Row[] = [];
  let rowScope = scope.child();
  const makeRow = (index: number): Row => {
    const choose = button(rowScope, { class: 'stage-name', 'data-testid': `step-${index}` }, () => { actions.selectStep(index); }, text.steps.name(index));
    const cells = [columns.time, columns.verdict, columns.first, columns.state].map(() => h('td', {}));
    return { index, choose, cells, element: h('tr', {}, h('th', { scope: 'row' }, choose), ...cells) };
  };
  const update = whenChanged(
    ({ opened, steps: reports, form: chosen, job }) => [opened, reports, chosen, job === null],
    ({ opened, steps: reports, form: chosen, job }) => {
      latest = opened;
      element.hidden = !opened?.steps;
      if (!opened?.steps) return;
      const { recorded, selected } = opened.steps;
      form.update(chosen, () => job === null);
      if (rows.map(({ index }) => index).join() !== recorded.map(({ index }) => index).join()) {
        rowScope.dispose();
        rowScope = scope.child();
        rows = recorded.map(({ index }) => makeRow(index));
        body.replaceChildren(...rows.map((row) => row.element));
      }
      const report = shownReport(reports);
      setText(summary, report ? summaryOf(report) : text.steps.notCompared);
      // Not disabled: the focus would be lost.
      previous.setAttribute('aria-disabled', String(recorded[0]?.index === selected));
      next.setAttribute('aria-disabled', String(recorded.at(-1)?.index === selected));
      for (const { index, choose, cells, element: row } of rows) {
        row.toggleAttribute('data-selected', index === selected);
        choose.setAttribute('aria-pressed', String(index === selected));
        const step = report?.steps.find((one) => one.index === index);
        cells.forEach((cell, column) => { setText(cell, step ? cellsOf(step)[column]! : ''); });
      }
      const step = report?.steps.find((one) => one.index === selected);
      details.hidden = !step;
      stages.replaceChildren(...(step ? stageRows(step) : []));
    },
  );
  return { element, update };
}

/** The backend with an error, or the first. */
function shownReport(reports: State['steps']): StepsReport | undefined {
  const all = RUNTIMES.flatMap((backend) => reports[backend] ?? []);
  return all.find(({ verdict }) => verdict === 'fail') ?? all[0];
}

function summaryOf({ backend, first, decisions, causes }: StepsReport): string {
  const { names, pass, fail, perTenThousand } = text.steps;
  const verdict = first ? fail(first.step, stageName(first.stage), names[first.kind]) : pass;
  const share = (count: number, total: number): string => ((10_000 * count) / total).toFixed(1);
  const differing = decisions && perTenThousand(share(decisions.step, decisions.total), share(decisions.own, decisions.total));
  return [`${text.backends[backend]}: ${verdict}`, differing, mostOf(causes)].filter((sentence) => sentence !== null).join(' ');
}

/** The stage that causes most of the differing decisions; null if none differ. */
function mostOf(causes: StepsReport['causes']): string | null {
  const [most] = causes.toSorted((a, b) => b.count - a.count);
  return most ? text.steps.mostBy(most.stage, most.count, causes.reduce((sum, { count }) => sum + count, 0)) : null;
}

const stageName = (stage: string): string => (stage === 'state' ? text.steps.stateName : stage);

const cellsOf = ({ startSeconds, verdict, firstDivergence, state }: StepReport): readonly string[] => [
  secondsText(startSeconds),
  text.steps.names[verdict],
  firstDivergence === null ? '' : stageName(firstDivergence),
  stateText(state),
];

const stateText = ({ frames, goldenFrames, otherFrames }: StateReport): string =>
  otherFrames === null ? text.steps.otherNumber(frames, goldenFrames) : text.steps.frames(frames, otherFrames);

function stageRows({ stages }: StepReport): HTMLElement[] {
  return stages.map(({ name, step, own, drift }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row', class: 'mono' }, name),
      ...[[step.relative, step.verdict] as const, [own.relative, own.verdict] as const].map(([relative, verdict]) =>
        h('td', { class: 'figure' }, `${figure(relative)} `, h('span', { class: `badge badge--${verdict}` }, text.verdicts[verdict])),
      ),
      h('td', { class: 'figure' }, figure(drift)),
    ),
  );
}

/** @param kind class of the columns after the first */
function table(label: string, names: readonly string[], body: HTMLElement, testId: string, kind: string | null = null): HTMLElement {
  return h(
    'div',
    { class: 'table-scroller', tabindex: 0, role: 'group', 'aria-label': label, 'data-testid': testId },
    h('table', { class: 'plain-table' }, h('thead', {}, h('tr', {}, ...names.map((name, column) => h('th', { scope: 'col', class: column > 0 ? kind : null }, name)))), body),
  );
}
