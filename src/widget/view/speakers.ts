import { h, setText } from '../../ui/dom';
import { swatch } from '../../ui/lanes/label';
import type { Lane } from '../../ui/lanes/model';
import type { WidgetContext } from './context';

export interface SpeakerList {
  readonly element: HTMLElement;
  readonly setSpeaking: (lanes: readonly Lane[]) => void;
}

/** A speaker's row: colour, name to be changed in place, speech and its share. */
interface SpeakerRow {
  readonly lane: Lane;
  readonly element: HTMLElement;
}

/**
 * The speakers, one row beside each lane.
 *
 * @param onName a person has given a name; an empty one takes it away
 */
export function createSpeakers({ scope, words }: WidgetContext, lanes: readonly Lane[], onName: (lane: Lane, name: string) => Lane): SpeakerList {
  const rows = lanes.map((lane): SpeakerRow => {
    let current = lane;
    const label = h('span', { class: 'visually-hidden' });
    const field = h('input', { type: 'text', class: 'speaker__name', part: 'speaker-name', maxlength: 80, spellcheck: 'false', autocomplete: 'off' });
    const show = (): void => {
      field.value = current.name;
      setText(label, words.done.nameOf(current.name));
    };
    show();
    const commit = (): void => {
      const name = field.value.trim();
      if (name !== current.name) current = onName(current, name);
      show();
    };
    scope.on(field, 'change', commit);
    scope.on(field, 'keydown', (event) => {
      // The key that ends the composing of a character is the input method's.
      if (event.isComposing) return;
      if (event.key === 'Enter') commit();
      // With nothing to take back it is the page's, whose dialog it may close.
      else if (event.key === 'Escape' && field.value !== current.name) show();
      else return;
      event.preventDefault();
      field.select();
    });
    return {
      lane,
      element: h(
        'li',
        { class: 'speaker', part: 'speaker' },
        swatch(lane.colour),
        h('label', { class: 'speaker__label' }, label, field),
        h('span', { class: 'speaker__share' }, words.done.share(lane.seconds, lane.share)),
      ),
    };
  });
  const element = h('ul', { class: 'speakers', part: 'speakers', 'aria-label': words.done.speakers }, ...rows.map((row) => row.element));
  return {
    element,
    setSpeaking(speaking) {
      const labels = speaking.map((lane) => lane.label);
      for (const row of rows) row.element.classList.toggle('is-speaking', labels.includes(row.lane.label));
    },
  };
}
