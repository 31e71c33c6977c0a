import { expectTypeOf } from 'expect-type';
import { describe, expect, it } from 'vitest';
import type { DiarizationResult, Progress, Turn } from '../engine/types';
import type { VoxlaneError } from '../util/errors';

describe('<voxlane-diarizer> for TypeScript and servers', () => {
  it('can be imported without a DOM and defines nothing there', async () => {
    expect('HTMLElement' in globalThis || 'customElements' in globalThis).toBe(false);
    const { VoxlaneDiarizerElement } = await import('../entries/widget');
    expect(VoxlaneDiarizerElement.observedAttributes).toContain('src');
  });

  it('types the events for listeners', () => {
    const listen = (element: HTMLElementTagNameMap['voxlane-diarizer']): void => {
      element.addEventListener('result', (event) => {
        expectTypeOf(event.detail).toEqualTypeOf<DiarizationResult>();
        expectTypeOf(event.detail.turns).toEqualTypeOf<readonly Turn[]>();
      });
      element.addEventListener('progress', (event) => {
        expectTypeOf(event.detail).toEqualTypeOf<Progress>();
      });
      element.addEventListener('error', (event) => {
        expectTypeOf(event.detail).toEqualTypeOf<VoxlaneError>();
      });
      element.addEventListener('click', (event) => {
        expectTypeOf(event).toEqualTypeOf<PointerEvent>();
      });
      // @ts-expect-error a click has no turns
      element.addEventListener('click', (event) => event.detail.turns as unknown);
      // @ts-expect-error no such theme
      element.theme = 'blue';
      expectTypeOf(element.diarize()).resolves.toEqualTypeOf<DiarizationResult>();
    };
    expect(listen).toBeTypeOf('function');
  });
});
