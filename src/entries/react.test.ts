import { expectTypeOf } from 'expect-type';
import { createElement, createRef, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { VoxlaneDiarizer, type VoxlaneDiarizerElement, type VoxlaneDiarizerProps } from './react';

describe('voxlane/react on a server', () => {
  it('renders the empty tag with the HTML attributes, so that the browser starts nothing before hydration', () => {
    expect('customElements' in globalThis).toBe(false);
    const html = renderToString(
      createElement(
        StrictMode,
        null,
        createElement(
          VoxlaneDiarizer,
          { src: 'talk.wav', speakers: 2, result: [], speakerNames: { a: 'Ada' }, onResult: () => undefined, onTimeUpdate: () => undefined, className: 'wide', id: 'who', lang: 'de' },
          createElement('p', { slot: 'footer' }, 'Local'),
        ),
      ),
    );
    expect(html).toBe('<voxlane-diarizer id="who" lang="de" class="wide"><p slot="footer">Local</p></voxlane-diarizer>');
  });

  it('has typed props and a typed ref', () => {
    const props: VoxlaneDiarizerProps = {
      onResult: ({ detail }) => {
        expectTypeOf(detail.turns[0]!.speaker).toEqualTypeOf<string>();
      },
      onTurnClick: (event) => {
        event.preventDefault();
        expectTypeOf(event.detail.startSeconds).toEqualTypeOf<number>();
      },
    };
    expect(createElement(VoxlaneDiarizer, { ...props, ref: createRef<VoxlaneDiarizerElement>() }).type).toBe(VoxlaneDiarizer);
    // @ts-expect-error no such theme
    createElement(VoxlaneDiarizer, { theme: 'blue' });
    // @ts-expect-error the listener of turnclick has another detail
    createElement(VoxlaneDiarizer, { onTurnClick: (event: CustomEvent<number>) => event.detail });
  });
});
