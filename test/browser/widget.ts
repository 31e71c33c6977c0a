import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';

/** Address of the built entry that defines the element; the build gives it a name with a hash. */
export function widgetScript(): string {
  const address = /<script[^>]* src="(\/test\/assets\/widget-[^"]+\.js)"/.exec(readFileSync('dist-test/widget.html', 'utf8'))?.[1];
  if (!address) throw new Error('dist-test/widget.html has no script of the widget');
  return address;
}

/** What the page holds that a removed widget must have let go. Counted from before the first script of the page. */
export interface Held {
  workers: number;
  objectUrls: number;
  /** On window and document. */
  listeners: number;
}

/** Has {@link held} count. */
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
    // Each listener once, as the browser has it: by what, on what, for what.
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
        // Called without a target it is the window's.
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

/** What is held now. */
export function held(page: Page): Promise<Held & { readonly started: number }> {
  return page.evaluate(() => {
    const { heldCounts } = globalThis as unknown as { heldCounts: { workers: number; started: number; urls: Set<string>; listeners: number } };
    return { workers: heldCounts.workers, started: heldCounts.started, objectUrls: heldCounts.urls.size, listeners: heldCounts.listeners };
  });
}

/** Puts `clip(start, seconds, name)` into the page: a segment of the sample as a WAV file. In the first seven seconds nobody speaks. */
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
 * Puts widgets on the page, has each diarize two seconds, and removes them.
 *
 * @throws Error if they do not find the same speakers, or none
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

/** The widget page with a widget, whose events are kept in `heard`. */
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
