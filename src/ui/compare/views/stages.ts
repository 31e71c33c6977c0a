import { h } from '../../dom';
import type { Section, SectionContext } from '../section';
import { detail } from './detail';
import { stageTable } from './stageTable';

export interface Stages extends Section {
  /** Scrolls to a stage and its details, and puts the focus on the stage. */
  readonly reveal: (stage: string) => void;
}

/** The table of stages and the details of one: side by side if there is room, else one below the other. */
export function stages(context: SectionContext): Stages {
  const showDetails = (): void => {
    const { top, bottom } = details.element.getBoundingClientRect();
    const isOutOfView = bottom < 0 || top > innerHeight;
    if (isStacked() || isOutOfView) details.element.scrollIntoView({ block: 'start' });
  };
  const isStacked = (): boolean => details.element.getBoundingClientRect().top >= table.element.getBoundingClientRect().bottom;
  const table = stageTable(context, showDetails);
  const details = detail(context, (stage) => {
    table.reveal(stage);
  });
  const element = h('div', { class: 'stages' }, table.element, details.element);
  return {
    element,
    update(state) {
      // First, because the table scrolls to the stage that is looked at.
      element.hidden = !(state.reports.wasm ?? state.reports.webgpu);
      table.update(state);
      details.update(state);
    },
    reveal(stage) {
      table.reveal(stage);
      const { top } = table.element.getBoundingClientRect();
      if (!isStacked() && (top < 0 || top > innerHeight / 2)) element.scrollIntoView({ block: 'start' });
      showDetails();
    },
  };
}
