/** Gives a canvas the pixels of the screen and a context that counts in CSS pixels. */
export function fitCanvas(
  context: CanvasRenderingContext2D,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const { canvas } = context;
  const density = window.devicePixelRatio || 1;
  const pixels = [Math.round(width * density), Math.round(height * density)] as const;
  // Setting a size, even the same one, clears the canvas and drops its memory.
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.setTransform(density, 0, 0, density, 0, 0);
}

/** The colour of a custom property as the browser resolves it: a canvas knows neither `var()` nor `light-dark()`. */
export function resolvedColour(probe: HTMLElement, variable: string): string {
  probe.style.color = `var(${variable})`;
  return getComputedStyle(probe).color;
}
