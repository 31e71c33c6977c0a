import type { Scope } from '../../util/scope';
import { h } from '../dom';
import { speakerName } from '../lanes/model';
import { onChoice } from './onChoice';
import { createSpeakerSearch, type SpeakerChoiceState, type SpeakerSearch } from './speakerSearch';

/** Up to this many speakers, a select lists all. With more, a search field lists matches. */
export const MOST_OPTIONS = 40;

export interface SpeakerChoiceOptions {
  readonly testId: string;
  /** Shown without a choice; null if there always is one. */
  readonly placeholder: string | null;
  /** Whether each step with the arrow keys is a choice. Default false. */
  readonly isEachStep?: boolean;
  /** The closed select shows another speaker, which is not a choice yet. */
  readonly onStep?: () => void;
  readonly onChoose: (speaker: string) => void;
}

export interface SpeakerChoice {
  readonly element: HTMLElement;
  readonly update: (state: SpeakerChoiceState) => void;
}

/** Chooses a speaker: in a select or, with many speakers, by a part of the name. */
export function createSpeakerChoice(scope: Scope, { testId, placeholder, isEachStep, onStep, onChoose }: SpeakerChoiceOptions): SpeakerChoice {
  const select = h('select', { class: 'field', 'data-testid': testId });
  /** The value to return to when the list is left without a choice. */
  let shown = '';
  const choose = (): void => {
    if (select.value !== '') onChoose(select.value);
  };
  if (isEachStep) scope.on(select, 'change', choose);
  else {
    onChoice(scope, select, {
      onChosen: choose,
      ...(onStep && { onStep }),
      onLeft: () => {
        select.value = shown;
      },
    });
  }
  let search: SpeakerSearch | null = null;
  const element = h('span', { class: 'speaker-choice' }, select);
  /** What the options were made of. */
  let made: Pick<SpeakerChoiceState, 'speakers' | 'without'> | null = null;
  return {
    element,
    update(state) {
      const { speakers, without, chosen, isDisabled, label } = state;
      if (speakers.length > MOST_OPTIONS) {
        search ??= createSpeakerSearch(scope, { testId, placeholder: placeholder ?? '', onChoose });
        if (element.firstChild !== search.element) element.replaceChildren(search.element);
        search.update(state);
        made = null;
        return;
      }
      if (element.firstChild !== select) element.replaceChildren(select);
      if (made?.speakers !== speakers || made.without !== without) {
        made = { speakers, without };
        select.replaceChildren(
          ...(placeholder === null ? [] : [h('option', { value: '' }, placeholder)]),
          ...speakers.flatMap((speaker, index) => (speaker.id === without ? [] : [h('option', { value: speaker.id }, speakerName(speaker, index))])),
        );
      }
      shown = chosen ?? '';
      select.value = shown;
      select.disabled = isDisabled;
      if (label === null) return;
      select.setAttribute('aria-label', label);
      select.title = label;
    },
  };
}
