import type { Scope } from '../../../util/scope';
import { resolvedColour } from '../../canvas';
import { h } from '../../dom';
import type { ThemeControl } from '../../theme';
import { NOT_FINITE, RAMP, rampTable, type Rgb } from './colourMap';

/** Colours of the plots in the theme of the moment. */
export interface PlotPaints {
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly track: string;
  readonly surface: string;
  readonly accent: string;
  readonly font: string;
  readonly ramp: Uint8ClampedArray;
  readonly notFinite: Rgb;
}

/** The colours, read again whenever they change. */
export interface PaintSource {
  /** Belongs into the page: colours are resolved where it stands. */
  readonly probe: HTMLElement;
  readonly get: () => PlotPaints;
  readonly onChange: (listener: () => void) => void;
}

/** Colours follow the theme, and paper: a page printed from the dark theme must not be a page of ink. */
export function createPaints(scope: Scope, theme: ThemeControl): PaintSource {
  const probe = h('span', { class: 'plot__probe', hidden: true });
  let paints: PlotPaints | null = null;
  const listeners: (() => void)[] = [];
  const changed = (): void => {
    paints = null;
    for (const listener of listeners) listener();
  };
  theme.onChange(scope, changed);
  scope.on(matchMedia('print'), 'change', changed);
  return {
    probe,
    get: () => (paints ??= readPaints(probe)),
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

function readPaints(probe: HTMLElement): PlotPaints {
  const colour = (variable: string): string => resolvedColour(probe, variable);
  return {
    ink: colour('--ink'),
    muted: colour('--ink-muted'),
    rule: colour('--rule'),
    track: colour('--track'),
    surface: colour('--surface'),
    accent: colour('--accent'),
    font: `11px ${getComputedStyle(probe).fontFamily}`,
    ramp: rampTable(RAMP.map((name) => rgbOf(colour(name)))),
    notFinite: rgbOf(colour(NOT_FINITE)),
  };
}

/** `rgb(1, 2, 3)`, as browsers write resolved colours. */
function rgbOf(colour: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
