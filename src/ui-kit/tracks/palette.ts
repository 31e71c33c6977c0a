import { h, resolvedColor, setText } from '../dom';
import { clock } from '../format';
import { text } from '../texts/text';
import type { Track, Mark } from './model';

/**
 * The colors are custom properties of `tokens.css`. After the eighth speaker they repeat with a pattern, so that every
 * two speakers can be distinguished.
 */
export const COLORS = 8;
const PATTERNS = ['solid', 'hatch', 'dots'] as const;
type Pattern = (typeof PATTERNS)[number];

export const colorVariable = (index: number): string => `--speaker-${(index % COLORS) + 1}`;

export const patternOf = (index: number): Pattern =>
  PATTERNS[Math.floor(index / COLORS) % PATTERNS.length] ?? 'solid';

export interface Paints {
  /** One per speaker color: see {@link colorOf}. */
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

/** Reads the current colors; they change with the theme. */
export function readPaints(probe: HTMLElement): Paints {
  const color = (variable: string): string => resolvedColor(probe, variable);
  return {
    speakers: Array.from({ length: COLORS }, (_, index) => color(colorVariable(index))),
    ink: color('--ink'),
    muted: color('--ink-muted'),
    rule: color('--rule'),
    ruleStrong: color('--rule-strong'),
    accent: color('--accent'),
    track: color('--track'),
    surface: color('--surface'),
    font: `11px ${getComputedStyle(probe).fontFamily}`,
  };
}

/** @param index of the color, as in `Track.color` */
export const colorOf = (paints: Paints, index: number): string => paints.speakers[index % COLORS] ?? paints.ink;

const TILE = 8;
type Tile = Exclude<Pattern, 'solid'> | Mark['kind'];

/** Patterns by set of colors. A pattern is not bound to a canvas, so it is created once, not per frame. */
const made = new WeakMap<Paints, Map<Tile, CanvasPattern>>();

/**
 * A pattern that scrolls with the content below it. Speaker patterns are drawn in the surface color, so that they are
 * visible on every color; those of marks are ink.
 *
 * @param scrolledPixels offset of the window from the start of the recording
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

/** Three strokes, so that the corners of neighboring tiles meet. They rise for 1 and fall for -1. */
function strokes(pen: CanvasRenderingContext2D, direction: 1 | -1): void {
  const [from, to] = direction === 1 ? [TILE + 1, -1] : [-1, TILE + 1];
  for (const shift of [-TILE, 0, TILE]) {
    pen.moveTo(shift - 1, from);
    pen.lineTo(shift + TILE + 1, to);
  }
}

/** The label of a track: color, name, duration and share of the speech. */
export function trackLabel(track: Track): HTMLElement {
  const time = h('span', { class: 'track-label__time' });
  const share = h('span', { class: 'track-label__share' });
  // Tenths of a second do not matter for an hour and would leave less room for the name.
  setText(time, clock(track.seconds, track.seconds < 600 ? 1 : 0));
  setText(share, text.done.share(track.share));
  return h(
    'li',
    { class: 'track-label', title: text.done.trackTitle(track.name, track.seconds, track.share) },
    swatch(track.color),
    h('span', { class: 'track-label__name' }, track.name),
    time,
    share,
  );
}

/**
 * A speaker's color and pattern, as a small square.
 *
 * @param color index of the color, as in `Track.color`
 */
export function swatch(color: number): HTMLElement {
  return h('span', {
    class: `swatch swatch--${patternOf(color)}`,
    style: `--color:var(${colorVariable(color)})`,
    'aria-hidden': 'true',
  });
}

/** The hatching of a scoring mark, for a legend beside the tracks. */
export function markSwatch(kind: Mark['kind']): HTMLElement {
  return h('span', { class: `mark-swatch mark-swatch--${kind}`, 'aria-hidden': 'true' });
}
