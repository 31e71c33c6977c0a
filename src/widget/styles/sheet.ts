import tokens from '../../ui-kit/styles/tokens.css?raw';
import controls from './controls.css?raw';
import result from './result.css?raw';
import touch from './touch.css?raw';
import widget from './widget.css?raw';

/**
 * Design tokens that a page may set, as `--voxlane-<name>`. The widget's own sheets use `--vx-<name>`: custom
 * properties are inherited by slotted content, where the page's own `--accent` must keep its meaning.
 */
export const PUBLIC_TOKENS = [
  'accent',
  'accent-hover',
  'accent-wash',
  'on-accent',
  'surface',
  'surface-raised',
  'track',
  'ink',
  'ink-muted',
  'rule',
  'rule-strong',
  'radius',
  'radius-large',
  'sans',
  'mono',
  'speaker-1',
  'speaker-2',
  'speaker-3',
  'speaker-4',
  'speaker-5',
  'speaker-6',
  'speaker-7',
  'speaker-8',
] as const;

/** Declarations of `tokens.css` by name: its first block has all of them. */
export function readTokens(css: string): Map<string, string> {
  const block = css.slice(css.indexOf('{') + 1, css.indexOf('}'));
  return new Map([...block.matchAll(/--([a-z0-9-]+):\s*([^;]+);/g)].map(([, name, value]) => [name!, value!.replace(/\s+/g, ' ')]));
}

/**
 * The page's root sets the rem; some pages use 10 px. This property scales every length that the widget gives in rem.
 */
const scalable = (css: string): string => css.replace(/(\d*\.?\d+)rem\b/g, 'calc($1 * var(--voxlane-unit, 1rem))');

/**
 * Returns the whole CSS of the widget.
 *
 * @param tokens content of `tokens.css`
 * @param rules rules of the widget, which use the `--vx-` names
 */
export function widgetCss(tokens: string, rules: readonly string[]): string {
  const declared = [...readTokens(tokens)];
  const isPublic = (name: string): boolean => (PUBLIC_TOKENS as readonly string[]).includes(name);
  const own = declared.map(([name, value]) => `--vx-${name}: ${isPublic(name) ? `var(--voxlane-${name}, ${value})` : value};`);
  // The painter and the swatches are shared with the page and use its names.
  const aliases = declared.map(([name]) => `--${name}: var(--vx-${name});`);
  return scalable([`.widget { ${own.join(' ')} }`, `.probe, .swatch { ${aliases.join(' ')} }`, ...rules].join('\n'));
}

/** One sheet per document, shared by its widgets. */
const sheets = new WeakMap<Document, CSSStyleSheet>();

/**
 * The widget's constructed sheet: a Content-Security-Policy without `unsafe-inline` blocks style elements. A
 * constructed sheet works only in its own document.
 */
export function sheetFor(owner: Document): CSSStyleSheet {
  const known = sheets.get(owner);
  if (known) return known;
  const sheet = new (owner.defaultView ?? globalThis).CSSStyleSheet();
  sheet.replaceSync(widgetCss(tokens, [widget, controls, result, touch]));
  sheets.set(owner, sheet);
  return sheet;
}
