import { VoxlaneDiarizerElement } from './element';

/** Defines `<voxlane-diarizer>`. If two builds are on a page, the first definition applies. Servers have no custom elements. */
export function defineElement(): void {
  if ('customElements' in globalThis && !customElements.get('voxlane-diarizer')) {
    customElements.define('voxlane-diarizer', VoxlaneDiarizerElement);
  }
}
