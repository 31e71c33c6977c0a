import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';

/** Address of the built script that defines the element. Its name contains a hash. */
export function widgetScript(): string {
  const address = /<script[^>]* src="(\/test\/assets\/widget-[^"]+\.js)"/.exec(readFileSync('dist-test/widget.html', 'utf8'))?.[1];
  if (!address) throw new Error('dist-test/widget.html has no widget script');
  return address;
}

/** Resources that a removed widget must release, counted from before the first script of the page. */
export interface Held {
  workers: number;
  objectUrls: number;
  /** Listeners on window and document. */
  listeners: number;
}

/** Starts the counters of {@link held}. */
export async function countHeld(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const counts = { workers: 0, started: 0, urls: new Set<string>(), listeners: 0 };
    Object.assign(globalThis, { heldCounts: counts });
    const OwnWorker = Worker;
    globalThis.Worker = class extends OwnWorker {
      #isAlive = true;
      constructor(...parameters: ConstructorParameters<typeof Worker>) {
        super(...parameters);
        counts.workers++;
        counts.started++;
      }
      override terminate(): void {
        if (this.#isAlive) counts.workers--;
        this.#isAlive = false;
        super.terminate();
      }
    };
    const make = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (object) => {
      const url = make(object);
      counts.urls.add(url);
      return url;
    };
    const revoke = URL.revokeObjectURL.bind(URL);
    URL.revokeObjectURL = (url) => {
      counts.urls.delete(url);
      revoke(url);
    };
    // Like browsers, count each combination of target, type and listener once.
    const known = new Map<EventTarget, Map<string, Set<unknown>>>([[window, new Map()], [document, new Map()]]);
    const setOf = (target: EventTarget, type: string): Set<unknown> | undefined => {
      const types = known.get(target);
      if (types && !types.has(type)) types.set(type, new Set());
      return types?.get(type);
    };
    const recount = (): void => {
      counts.listeners = [...known.values()].flatMap((types) => [...types.values()]).reduce((sum, set) => sum + set.size, 0);
    };
    for (const [method, isAdding] of [['addEventListener', true], ['removeEventListener', false]] as const) {
      const own = Reflect.get(EventTarget.prototype, method) as (this: EventTarget, ...parameters: unknown[]) => void;
      const counting = function (this: EventTarget | undefined, ...parameters: [string, ...unknown[]]): void {
        // Without a target, the call refers to window.
        const target = this ?? window;
        const listeners = setOf(target, parameters[0]);
        if (isAdding) listeners?.add(parameters[1]);
        else listeners?.delete(parameters[1]);
        recount();
        own.apply(target, parameters);
      };
      Reflect.set(EventTarget.prototype, method, counting);
    }
  });
}

/** Currently held resources. */
export function held(page: Page): Promise<Held & { readonly started: number }> {
  return page.evaluate(() => {
    const { heldCounts } = globalThis as unknown as { heldCounts: { workers: number; started: number; urls: Set<string>; listeners: number } };
    return { workers: heldCounts.workers, started: heldCounts.started, objectUrls: heldCounts.urls.size, listeners: heldCounts.listeners };
  });
}

/** Defines `clip(start, seconds, name)` in the page: a segment of the sample as a WAV file. The first seven seconds are silent. */
export async function putClip(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const bytes = await (await fetch('sample.wav')).arrayBuffer();
    const samples = bytes.slice(bytes.byteLength - 2 * 480_000);
    globalThis.clip = (start, seconds, name = 'clip.wav') => {
      const data = samples.slice(2 * 16_000 * start, 2 * 16_000 * (start + seconds));
      const header = new DataView(new ArrayBuffer(44));
      const text = (at: number, word: string): void => {
        for (let index = 0; index < word.length; index++) header.setUint8(at + index, word.charCodeAt(index));
      };
      text(0, 'RIFF');
      header.setUint32(4, 36 + data.byteLength, true);
      text(8, 'WAVEfmt ');
      header.setUint32(16, 16, true);
      header.setUint16(20, 1, true);
      header.setUint16(22, 1, true);
      header.setUint32(24, 16_000, true);
      header.setUint32(28, 32_000, true);
      header.setUint16(32, 2, true);
      header.setUint16(34, 16, true);
      text(36, 'data');
      header.setUint32(40, data.byteLength, true);
      return new File([header, data], name, { type: 'audio/wav' });
    };
  });
}

/**
 * Adds widgets to the page, diarizes two seconds with each, and removes them.
 *
 * @throws Error if they find different numbers of speakers, or none
 */
export async function useWidgets(page: Page, count: number): Promise<void> {
  const speakers = await page.evaluate(async (number) => {
    const widgets = Array.from({ length: number }, () => {
      const widget = document.createElement('voxlane-diarizer');
      widget.backend = 'wasm';
      document.getElementById('widgets')?.append(widget);
      return widget;
    });
    const results = await Promise.all(widgets.map((widget) => widget.diarize(clip(9, 2))));
    for (const widget of widgets) widget.remove();
    return results.map((result) => result.speakers.length);
  }, count);
  if (speakers[0] === 0 || new Set(speakers).size !== 1) throw new Error(`The widgets found ${speakers.join(', ')} speakers.`);
}

/** Opens the widget page with a widget and records its events in `heard`. */
export async function openWidget(page: Page, attributes: Readonly<Record<string, string>> = {}): Promise<void> {
  await page.goto('test/widget.html');
  await putClip(page);
  await page.evaluate((given) => {
    globalThis.heard = [];
    globalThis.addWidget = () => {
      const widget = document.createElement('voxlane-diarizer');
      for (const [name, value] of Object.entries({ backend: 'wasm', ...given })) widget.setAttribute(name, value);
      for (const type of ['progress', 'result', 'error', 'cancel', 'rename'] as const) {
        widget.addEventListener(type, (event: Event) => globalThis.heard.push([type, (event as CustomEvent<unknown>).detail]));
      }
      document.getElementById('widgets')?.append(widget);
      return widget;
    };
    addWidget();
  }, attributes);
}

declare global {
  var heard: [string, unknown][];
  var addWidget: () => HTMLElementTagNameMap['voxlane-diarizer'];
  /** See {@link putClip}. */
  var clip: (start: number, seconds: number, name?: string) => File;
}
