/** The least width and height of what a finger presses, in CSS pixels: WCAG 2.2, success criterion 2.5.5. */
export const TOUCH_PIXELS = 44;

/** Whether the main pointer is a finger. The style sheets ask the same. */
export const isTouch = (): boolean => matchMedia('(pointer: coarse)').matches;
