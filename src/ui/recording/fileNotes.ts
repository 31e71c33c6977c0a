import type { DiarizationResult } from '../../pipeline/types';
import type { Scope } from '../../util/scope';
import { h } from '../dom';
import { clock } from '../format';
import { recordingText } from './text';

/**
 * What was repaired, skipped or left out while a recording was read, and a choice of its audio track. Null if there is
 * neither.
 *
 * @param onTrack called with the number of another track; null without the recording
 */
export function createFileNotes(
  scope: Scope,
  { notes, tracks }: Pick<DiarizationResult, 'notes' | 'tracks'>,
  onTrack: ((track: number) => void) | null,
): HTMLElement | null {
  const choice = onTrack && tracks.length > 1 ? trackChoice(scope, tracks, onTrack) : null;
  if (notes.length === 0 && !choice) return null;
  return h(
    'section',
    { class: 'file-notes', 'aria-label': recordingText.heading, 'data-testid': 'file-notes' },
    notes.length > 0 &&
      h(
        'ul',
        {},
        ...notes.map(({ code, atSeconds, amount }) =>
          h('li', { 'data-code': code }, recordingText.notes[code](atSeconds === null ? null : clock(atSeconds, 1), amount)),
        ),
      ),
    choice,
  );
}

/** A button starts the run, because arrow keys change a select immediately. */
function trackChoice(scope: Scope, tracks: DiarizationResult['tracks'], onTrack: (track: number) => void): HTMLElement {
  const read = tracks.find(({ isRead }) => isRead)?.number;
  const select = h(
    'select',
    { class: 'field', 'data-testid': 'track' },
    ...tracks.map((track) => h('option', { value: track.number, selected: track.isRead }, recordingText.trackName(track))),
  );
  const button = h('button', { type: 'button', class: 'button', 'data-testid': 'read-track', disabled: true }, recordingText.read);
  scope.on(select, 'change', () => {
    button.disabled = Number(select.value) === read;
  });
  scope.on(button, 'click', () => {
    onTrack(Number(select.value));
  });
  return h('div', { class: 'file-notes__track' }, h('label', {}, `${recordingText.track} `, select), button);
}
