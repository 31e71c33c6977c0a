import { resolvedColour } from '../canvas';

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
  readonly lanes: readonly string[];
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly track: string;
  readonly surface: string;
  readonly font: string;
}

/** Reads the colours of the moment; they change with the theme. */
export function readPaints(probe: HTMLElement, lanes: number): Paints {
  const colour = (variable: string): string => resolvedColour(probe, variable);
  return {
    lanes: Array.from({ length: lanes }, (_, index) => colour(colourVariable(index))),
    ink: colour('--ink'),
    muted: colour('--ink-muted'),
    rule: colour('--rule'),
    track: colour('--track'),
    surface: colour('--surface'),
    font: `11px ${getComputedStyle(probe).fontFamily}`,
  };
}
