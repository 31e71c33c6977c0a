import type { Mark } from '../studio/studio';
import type { Paints, Pattern } from './palette';

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
