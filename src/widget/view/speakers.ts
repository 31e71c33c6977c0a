import { h, setText } from '../../ui-kit/dom';
import type { Track } from '../../ui-kit/tracks/model';
import { swatch } from '../../ui-kit/tracks/palette';
import type { WidgetContext } from './views';

interface SpeakerList {
  readonly element: HTMLElement;
  /** Shows other names; a field that is being edited keeps its text. */
  readonly setNames: (tracks: readonly Track[]) => void;
  readonly setSpeaking: (tracks: readonly Track[]) => void;
}

/** A speaker's row: color, editable name, speaking time and share. */
interface SpeakerRow {
  readonly label: string;
  readonly element: HTMLElement;
  readonly rename: (track: Track) => void;
}

/**
 * The list of speakers, one row beside each track.
 *
 * @param onName called when the user sets a name; an empty name removes it
 */
export function createSpeakers({ scope, words }: WidgetContext, tracks: readonly Track[], onName: (track: Track, name: string) => Track): SpeakerList {
  const rows = tracks.map((track): SpeakerRow => {
    let current = track;
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
      // The key that ends the composition of a character belongs to the input method.
      if (event.isComposing) return;
      if (event.key === 'Enter') commit();
      // If the field is unchanged, the page handles Escape, for example to close a dialog.
      else if (event.key === 'Escape' && field.value !== current.name) show();
      else return;
      event.preventDefault();
      field.select();
    });
    return {
      label: track.label,
      rename(next) {
        const isEdited = field.value !== current.name;
        current = next;
        if (!isEdited) show();
      },
      element: h(
        'li',
        { class: 'speaker', part: 'speaker' },
        swatch(track.color),
        h('label', { class: 'speaker__label' }, label, field),
        h('span', { class: 'speaker__share' }, words.done.share(track.seconds, track.share)),
      ),
    };
  });
  const element = h('ul', { class: 'speakers', part: 'speakers', 'aria-label': words.done.speakers }, ...rows.map((row) => row.element));
  return {
    element,
    setNames(next) {
      for (const row of rows) {
        const track = next.find(({ label }) => label === row.label);
        if (track) row.rename(track);
      }
    },
    setSpeaking(speaking) {
      const labels = speaking.map((track) => track.label);
      for (const row of rows) row.element.classList.toggle('is-speaking', labels.includes(row.label));
    },
  };
}
