import { h, setText } from '../dom';
import { clock } from '../format';
import type { Mark } from '../studio/studio';
import { text } from '../text';
import type { Lane } from './model';
import { colourVariable, patternOf } from './palette';

/** What stands beside a lane: colour, name, length and share of the speech. */
export function laneLabel(lane: Lane): HTMLElement {
  const time = h('span', { class: 'lane-label__time' });
  const share = h('span', { class: 'lane-label__share' });
  // Tenths of a second say nothing about an hour, and would push the name out.
  setText(time, clock(lane.seconds, lane.seconds < 600 ? 1 : 0));
  setText(share, text.done.share(lane.share));
  return h(
    'li',
    { class: 'lane-label', title: text.done.laneTitle(lane.name, lane.seconds, lane.share) },
    swatch(lane.colour),
    h('span', { class: 'lane-label__name' }, lane.name),
    time,
    share,
  );
}

/**
 * A speaker's colour and pattern, as a small square.
 *
 * @param colour index of the colour, as in `Lane.colour`
 */
export function swatch(colour: number): HTMLElement {
  return h('span', {
    class: `swatch swatch--${patternOf(colour)}`,
    style: `--colour:var(${colourVariable(colour)})`,
    'aria-hidden': 'true',
  });
}

/** The hatching of a mark of the score, for a legend beside the lanes. */
export function markSwatch(kind: Mark['kind']): HTMLElement {
  return h('span', { class: `mark-swatch mark-swatch--${kind}`, 'aria-hidden': 'true' });
}
