import { h, resolvedColour, setText } from '../dom';
import { clock } from '../format';
import { text } from '../texts/text';
import type { Lane, Mark } from './model';

/**
 * The colours themselves are custom properties of `tokens.css`. After the eighth speaker they repeat with a
 * pattern, so that a colour is never the only thing that tells two speakers apart.
 */
export const COLOURS = 8;
export const PATTERNS = ['solid', 'hatch', 'dots'] as const;
export type Pattern = (typeof PATTERNS)[number];

export const colourVariable = (index: number): string => `--speaker-${(index % COLOURS) + 1}`;

export const patternOf = (index: number): Pattern =>
  PATTERNS[Math.floor(index / COLOURS) % PATTERNS.length] ?? 'solid';

export interface Paints {
  /** One per speaker colour: see {@link colourOf}. */
  readonly speakers: readonly string[];
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly ruleStrong: string;
  readonly accent: string;
  readonly track: string;
  readonly surface: string;
  readonly font: string;
}

/** Reads the colours of the moment; they change with the theme. */
export function readPaints(probe: HTMLElement): Paints {
  const colour = (variable: string): string => resolvedColour(probe, variable);
  return {
    speakers: Array.from({ length: COLOURS }, (_, index) => colour(colourVariable(index))),
    ink: colour('--ink'),
    muted: colour('--ink-muted'),
    rule: colour('--rule'),
    ruleStrong: colour('--rule-strong'),
    accent: colour('--accent'),
    track: colour('--track'),
    surface: colour('--surface'),
    font: `11px ${getComputedStyle(probe).fontFamily}`,
  };
}

/** @param index of the colour, as in `Lane.colour` */
export const colourOf = (paints: Paints, index: number): string => paints.speakers[index % COLOURS] ?? paints.ink;

const TILE = 8;
type Tile = Exclude<Pattern, 'solid'> | Mark['kind'];

/** Patterns of each set of colours. A pattern belongs to no canvas, so it is made once, not for each frame. */
const made = new WeakMap<Paints, Map<Tile, CanvasPattern>>();

/**
 * A pattern that scrolls with what it lies on. The patterns of speakers are cut out of their bars in the colour of the
 * surface, so that they show on every colour; those of marks are ink.
 *
 * @param scrolledPixels how far the window is from the start of the recording
 */
export function patternFill(
  context: CanvasRenderingContext2D,
  tile: Tile,
  paints: Paints,
  scrolledPixels: number,
): CanvasPattern | null {
  const ofPaints = made.get(paints) ?? new Map<Tile, CanvasPattern>();
  made.set(paints, ofPaints);
  const pattern = ofPaints.get(tile) ?? makePattern(context, tile, paints);
  if (!pattern) return null;
  ofPaints.set(tile, pattern);
  pattern.setTransform({ e: -(scrolledPixels % TILE) });
  return pattern;
}

function makePattern(context: CanvasRenderingContext2D, tile: Tile, paints: Paints): CanvasPattern | null {
  const canvas = document.createElement('canvas');
  canvas.width = TILE;
  canvas.height = TILE;
  const pen = canvas.getContext('2d');
  if (!pen) return null;
  const isMark = tile !== 'hatch' && tile !== 'dots';
  pen.strokeStyle = isMark ? paints.ink : paints.surface;
  pen.fillStyle = paints.surface;
  pen.lineWidth = isMark ? 1.5 : 2;
  pen.beginPath();
  if (tile === 'dots') {
    pen.arc(TILE / 2, TILE / 2, 1.7, 0, 2 * Math.PI);
    pen.fill();
  } else {
    if (tile !== 'false-alarm') strokes(pen, 1);
    if (tile === 'false-alarm' || tile === 'confusion') strokes(pen, -1);
    pen.stroke();
  }
  return context.createPattern(canvas, 'repeat');
}

/** Three strokes, so that the corners of neighbouring tiles meet. They rise for 1, and fall for -1. */
function strokes(pen: CanvasRenderingContext2D, direction: 1 | -1): void {
  const [from, to] = direction === 1 ? [TILE + 1, -1] : [-1, TILE + 1];
  for (const shift of [-TILE, 0, TILE]) {
    pen.moveTo(shift - 1, from);
    pen.lineTo(shift + TILE + 1, to);
  }
}

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
