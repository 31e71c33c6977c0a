import type { AnnotationSpeaker } from '../../editing/annotation';
import { h } from '../../ui-kit/dom';
import type { Scope } from '../../ui-kit/scope';
import { speakerName } from '../../ui-kit/tracks/model';
import { swatch } from '../../ui-kit/tracks/palette';
import { onChoice } from './inputs';
import { editorText } from './text';

const words = editorText.speakers;

/** Maximum number of listed matches. */
const MAX_MATCHES = 50;

interface SpeakerChoiceState {
  readonly speakers: readonly AnnotationSpeaker[];
  /** Id of a speaker to leave out; null if there is none. */
  readonly without: string | null;
  /** Id of the speaker shown as chosen; null if there is none. */
  readonly chosen: string | null;
  readonly isDisabled: boolean;
  /** Name for screen readers; null if the element is inside a label. */
  readonly label: string | null;
}

interface SpeakerSearch {
  readonly element: HTMLElement;
  readonly update: (state: SpeakerChoiceState) => void;
}

interface SpeakerMatch {
  readonly speaker: AnnotationSpeaker;
  readonly name: string;
}

/**
 * Returns up to `most` speakers whose name contains the text, names that begin with it first, and the number of all
 * matches.
 */
export function matchSpeakers(
  speakers: readonly AnnotationSpeaker[],
  without: string | null,
  typed: string,
  most: number,
): { readonly matches: SpeakerMatch[]; readonly total: number } {
  const wanted = typed.trim().toLocaleLowerCase();
  const first: SpeakerMatch[] = [];
  const others: SpeakerMatch[] = [];
  for (const [index, speaker] of speakers.entries()) {
    if (speaker.id === without) continue;
    const name = speakerName(speaker, index);
    const place = name.toLocaleLowerCase().indexOf(wanted);
    if (place === 0) first.push({ speaker, name });
    else if (place > 0) others.push({ speaker, name });
  }
  return { matches: [...first, ...others].slice(0, most), total: first.length + others.length };
}

/** Place of a field in the page, in CSS pixels. */
interface Place {
  readonly left: number;
  readonly bottom: number;
}

function placeOf(field: HTMLElement): Place {
  const { left, bottom } = field.getBoundingClientRect();
  return { left: left + scrollX, bottom: bottom + scrollY };
}

let serial = 0;

/**
 * A combobox after the WAI-ARIA pattern. The list is created when it opens, because hundreds of lists with hundreds of
 * speakers each would be too many elements. Leaving it with Tab or Escape chooses nothing.
 */
function createSpeakerSearch(
  scope: Scope,
  { testId, placeholder, onChoose }: { readonly testId: string; readonly placeholder: string; readonly onChoose: (speaker: string) => void },
): SpeakerSearch {
  serial += 1;
  const listId = `speaker-search-${serial}`;
  const input = h('input', {
    type: 'text',
    class: 'field',
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder,
    'aria-expanded': 'false',
    'aria-autocomplete': 'list',
    'data-testid': testId,
  });
  let state: SpeakerChoiceState = { speakers: [], without: null, chosen: null, isDisabled: true, label: null };
  /** Null while the list is closed. */
  let open: (Place & { readonly box: HTMLElement; readonly list: HTMLElement; readonly hint: HTMLElement; matches: readonly SpeakerMatch[]; active: number }) | null = null;

  const nameOfChosen = (): string => {
    const index = state.speakers.findIndex(({ id }) => id === state.chosen);
    return index < 0 ? '' : speakerName(state.speakers[index]!, index);
  };
  const show = (): void => {
    input.value = nameOfChosen();
  };
  const close = (): void => {
    open?.box.remove();
    open = null;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-controls');
    input.removeAttribute('aria-activedescendant');
  };
  const setActive = (active: number): void => {
    if (!open) return;
    open.active = active;
    [...open.list.children].forEach((option, index) => {
      option.setAttribute('aria-selected', String(index === active));
      if (index === active) option.scrollIntoView({ block: 'nearest' });
    });
    if (active < 0) input.removeAttribute('aria-activedescendant');
    else input.setAttribute('aria-activedescendant', `${listId}-${active}`);
  };
  const fill = (typed: string): void => {
    if (!open) return;
    const { matches, total } = matchSpeakers(state.speakers, state.without, typed, MAX_MATCHES);
    open.matches = matches;
    open.list.replaceChildren(
      ...matches.map(({ speaker, name }, index) =>
        h('li', { role: 'option', id: `${listId}-${index}`, 'aria-selected': 'false', 'data-testid': 'speaker-match' }, swatch(speaker.color), name),
      ),
    );
    open.hint.textContent = words.matches(matches.length, total);
    setActive(typed === '' || matches.length === 0 ? -1 : 0);
  };
  const openList = (): void => {
    if (open || input.disabled) return;
    const list = h('ul', { role: 'listbox', id: listId, class: 'speaker-search__list', 'aria-label': input.getAttribute('aria-label') ?? words.heading });
    const hint = h('p', { class: 'fine speaker-search__hint', role: 'status' });
    const box = h('div', { class: 'speaker-search' }, list, hint);
    const { left, bottom } = placeOf(input);
    open = { box, list, hint, left, bottom, matches: [], active: -1 };
    // A click on the list must not take the focus from the field.
    box.addEventListener('pointerdown', (event) => {
      event.preventDefault();
    });
    list.addEventListener('click', (event) => {
      const option = event.target instanceof Element ? event.target.closest('[role="option"]') : null;
      if (option) choose([...list.children].indexOf(option));
    });
    box.style.left = `${left}px`;
    box.style.top = `${bottom}px`;
    box.style.minWidth = `${input.getBoundingClientRect().width}px`;
    document.body.append(box);
    input.setAttribute('aria-expanded', 'true');
    input.setAttribute('aria-controls', listId);
    fill('');
  };
  const choose = (index: number): void => {
    const match = open?.matches[index];
    if (!match) return;
    close();
    onChoose(match.speaker.id);
    // Only now: the choice has changed the state, and an update does not overwrite the text of a focused field.
    show();
  };

  scope.on(input, 'focus', () => {
    input.select();
  });
  scope.on(input, 'click', openList);
  scope.on(input, 'input', () => {
    openList();
    fill(input.value);
  });
  scope.on(input, 'blur', () => {
    close();
    show();
  });
  scope.on(input, 'keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) {
        openList();
        return;
      }
      const { active, matches } = open;
      const next = event.key === 'ArrowDown' ? active + 1 : active < 0 ? matches.length - 1 : active - 1;
      setActive(next >= matches.length ? 0 : next);
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      choose(open.active);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
      show();
    }
  });
  // The list moves with the page, but not with a scrolling container of the field. The event of a scroll that brought the field into view
  // can arrive after the click that opened the list.
  scope.on(window, 'resize', close);
  scope.on(document, 'scroll', () => {
    if (!open) return;
    const { left, bottom } = placeOf(input);
    if (Math.abs(left - open.left) > 1 || Math.abs(bottom - open.bottom) > 1) close();
  }, { capture: true, passive: true });
  scope.add(close);

  return {
    element: input,
    update(next) {
      state = next;
      input.disabled = next.isDisabled;
      if (next.label !== null) {
        input.setAttribute('aria-label', next.label);
        input.title = next.label;
      }
      if (document.activeElement !== input) show();
    },
  };
}

/** Up to this number of speakers, a select lists all. Above it, a search field lists matches. */
export const MAX_OPTIONS = 40;

interface SpeakerChoiceOptions {
  readonly testId: string;
  /** Shown without a choice; null if there always is one. */
  readonly placeholder: string | null;
  /** Whether each step with the arrow keys is a choice. Default false. */
  readonly isEachStep?: boolean;
  /** The closed select shows another speaker, which is not a choice yet. */
  readonly onStep?: () => void;
  readonly onChoose: (speaker: string) => void;
}

interface SpeakerChoice {
  readonly element: HTMLElement;
  readonly update: (state: SpeakerChoiceState) => void;
}

/** A control to choose a speaker: a select or, with many speakers, a search field. */
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
  /** The state that the options were created from. */
  let made: Pick<SpeakerChoiceState, 'speakers' | 'without'> | null = null;
  return {
    element,
    update(state) {
      const { speakers, without, chosen, isDisabled, label } = state;
      if (speakers.length > MAX_OPTIONS) {
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
