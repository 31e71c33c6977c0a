import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NOT_FINITE, RAMP } from '../plots/colorMap';
import { COLORS } from '../../ui-kit/tracks/palette';

/** Checks the colors of the style sheets against WCAG 2.2: text at 4.5:1, graphical objects at 3:1, in both themes. */
const css = ['../../ui-kit/styles/tokens.css', './tokens.css']
  .map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))
  .join('\n');

function color(name: string, theme: 0 | 1): readonly number[] {
  const pair = new RegExp(`--${name}: light-dark\\(#(\\w{6}), #(\\w{6})\\)`).exec(css);
  const hex = pair?.[theme + 1];
  if (!hex) throw new Error(`No color --${name}`);
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}

function luminance(rgb: readonly number[]): number {
  const linear = rgb.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
}

function contrast(one: string, other: string, theme: 0 | 1): number {
  const [light, dark] = [color(one, theme), color(other, theme)].map(luminance).sort((a, b) => b - a);
  return (light! + 0.05) / (dark! + 0.05);
}

const speakers = Array.from({ length: COLORS }, (_, index) => `speaker-${index + 1}`);
const TEXT: readonly (readonly [string, readonly string[]])[] = [
  ['ink', ['paper', 'surface', 'surface-raised', 'track', 'accent-wash']],
  ['ink-muted', ['paper', 'surface', 'surface-raised', 'track', 'accent-wash']],
  ['accent', ['paper', 'surface']],
  ['on-accent', ['accent', 'accent-hover']],
];
const GRAPHICS: readonly (readonly [string, readonly string[]])[] = [
  ...speakers.map((name) => [name, ['surface', 'track', 'surface-raised', 'accent-wash']] as const),
  ['accent', ['track', 'surface-raised']],
  ['rule-strong', ['surface', 'surface-raised']],
];

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('%s theme', (_, theme) => {
  it.each(TEXT)('%s is readable', (name, grounds) => {
    for (const ground of grounds) expect(contrast(name, ground, theme), ground).toBeGreaterThanOrEqual(4.5);
  });
  it.each(GRAPHICS)('%s is visible', (name, grounds) => {
    for (const ground of grounds) expect(contrast(name, ground, theme), ground).toBeGreaterThanOrEqual(3);
  });
  it('the error scale increases in contrast at every step', () => {
    const stops = RAMP.map((name) => name.slice(2));
    const away = stops.map((name) => contrast(name, 'surface', theme));
    expect([...away].sort((a, b) => a - b)).toEqual(away);
    // Stops are distinguishable without color: 1.4 corresponds to 10 or more of the 100 steps of lightness.
    stops.slice(1).forEach((name, index) => {
      expect(contrast(name, stops[index]!, theme), name).toBeGreaterThanOrEqual(1.4);
    });
    expect(away.at(-1)).toBeGreaterThanOrEqual(7);
    expect(contrast(NOT_FINITE.slice(2), 'surface', theme)).toBeGreaterThanOrEqual(3);
  });
});
