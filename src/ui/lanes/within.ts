import { lanesTop, type Geometry } from './geometry';

/** Clips to the area of the lanes if they scroll: a partly visible lane must not cover the axis. */
export function withinLanes(context: CanvasRenderingContext2D, geometry: Geometry, paint: () => void): void {
  if (geometry.numLanes === undefined) {
    paint();
    return;
  }
  const top = lanesTop(geometry);
  context.save();
  context.beginPath();
  context.rect(0, top, geometry.width, geometry.height - top);
  context.clip();
  paint();
  context.restore();
}
