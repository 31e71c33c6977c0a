import type { Scope } from './scope';

type Child = Node | string | null | undefined | false;
type AttributeValue = string | number | boolean | null | undefined;

/** Creates an element. `true` sets an empty attribute; `false` and `null` set none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    // Through the CSSOM: a strict Content-Security-Policy forbids style attributes.
    if (name === 'style') element.style.cssText = String(value);
    else setAttribute(element, name, value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

export function setAttribute(element: Element, name: string, value: AttributeValue): void {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/** Sets text only if it differs: even an equal write would trigger a layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const ICONS = {
  play: { path: 'M7 4.5v15l12-7.5z', fill: true },
  pause: { path: 'M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z', fill: true },
  plus: { path: 'M12 5v14M5 12h14', fill: false },
  minus: { path: 'M5 12h14', fill: false },
  close: { path: 'M6 6l12 12M18 6L6 18', fill: false },
  download: { path: 'M12 4v11M7 11l5 5 5-5M5 20h14', fill: false },
  back: { path: 'M19 12H5M11 6l-6 6 6 6', fill: false },
  theme: { path: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18', fill: false },
} as const;

type IconName = keyof typeof ICONS;

const SVG = 'http://www.w3.org/2000/svg';

/** A decorative icon; its button has the label. */
export function icon(name: IconName): SVGSVGElement {
  const { path, fill } = ICONS[name];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', fill ? 'icon icon--fill' : 'icon');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  if (name === 'theme') {
    // Half filled: the symbol for light and dark.
    const half = document.createElementNS(SVG, 'path');
    half.setAttribute('d', 'M12 3a9 9 0 0 0 0 18z');
    half.setAttribute('fill', 'currentColor');
    svg.append(half);
  }
  svg.append(shape);
  return svg;
}

/** The logo: three tracks of alternating speakers. */
export function mark(): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 28 28');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'mark');
  const bars = [
    [2, 4, 13, 'mark__a'],
    [11, 12, 15, 'mark__b'],
    [4, 20, 9, 'mark__a'],
  ] as const;
  for (const [x, y, width, name] of bars) {
    const bar = document.createElementNS(SVG, 'rect');
    bar.setAttribute('x', String(x));
    bar.setAttribute('y', String(y));
    bar.setAttribute('width', String(width));
    bar.setAttribute('height', '4');
    bar.setAttribute('class', name);
    svg.append(bar);
  }
  return svg;
}

/** Sets the canvas size to device pixels and scales the context to CSS pixels. */
export function fitCanvas(
  context: CanvasRenderingContext2D,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const { canvas } = context;
  const density = window.devicePixelRatio || 1;
  const pixels = [Math.round(width * density), Math.round(height * density)] as const;
  // Setting a size, even the same one, clears the canvas and reallocates its memory.
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.setTransform(density, 0, 0, density, 0, 0);
}

/** The color of a custom property as resolved by the browser: a canvas supports neither `var()` nor `light-dark()`. */
export function resolvedColor(probe: HTMLElement, variable: string): string {
  probe.style.color = `var(${variable})`;
  return getComputedStyle(probe).color;
}

/** Minimum width and height of a touch target in CSS pixels: WCAG 2.2, success criterion 2.5.5. */
export const TOUCH_PIXELS = 44;

/** Whether the primary pointer is a touch screen. The style sheets use the same query. */
export const isTouch = (): boolean => matchMedia('(pointer: coarse)').matches;

/**
 * Calls the listener one frame after the size of an element changed, and once after this call. Ends with `scope`.
 *
 * It does not use the observer's own callback: a listener that changed the observed size would make browsers report
 * "ResizeObserver loop completed with undelivered notifications" as an error of the page.
 */
export function onResize(scope: Scope, element: Element, listener: () => void): void {
  let frame = 0;
  const observer = new ResizeObserver(() => {
    if (frame !== 0) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      listener();
    });
  });
  observer.observe(element);
  scope.add(() => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  });
}
