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
