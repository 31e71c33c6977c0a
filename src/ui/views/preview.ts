import type { Preview } from '../../pipeline/types';
import type { Scope } from '../../util/scope';
import { h, setText } from '../dom';
import { lanesSoFar } from '../lanes/model';
import { createStillLanes } from '../lanes/stillLanes';
import { text } from '../text';
import type { ThemeControl } from '../theme';

/** What is known while the recording runs. Hidden until there is something to show. */
export function previewPanel(
  scope: Scope,
  theme: ThemeControl,
): { readonly element: HTMLElement; readonly update: (preview: Preview | null) => void } {
  const words = text.running.preview;
  const covers = h('span', { class: 'preview__covers' });
  const found = h('span');
  const lanes = createStillLanes(scope, theme, words.lanes);
  const element = h(
    'section',
    { class: 'panel preview', 'aria-label': words.lanes, 'data-testid': 'preview', hidden: true },
    h(
      'div',
      { class: 'preview__head' },
      h('h3', { class: 'legend' }, words.label),
      h('p', { class: 'status' }, covers, found),
      h('p', { class: 'fine' }, words.hint),
    ),
    lanes.element,
  );
  let shown: Preview | null = null;
  return {
    element,
    update(preview) {
      if (preview === shown) return;
      shown = preview;
      element.hidden = preview === null;
      if (!preview) return;
      const { analysedSeconds, turns } = preview;
      const speakers = lanesSoFar(turns);
      setText(covers, words.covers(analysedSeconds));
      setText(found, words.found(speakers.length, turns.length));
      lanes.element.hidden = speakers.length === 0;
      lanes.show(speakers, analysedSeconds);
    },
  };
}
