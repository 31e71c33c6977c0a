import { lanesTop, type Geometry } from './geometry';

/** Paints inside the area of the lanes only, if they are scrolled: a lane in part out of view must not cover the axis. */
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
