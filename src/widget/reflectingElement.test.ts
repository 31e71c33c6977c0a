import { describe, expect, it } from 'vitest';
import { ReflectingElement } from './reflectingElement';

/** Node has no elements: this class has only the methods that the properties use. */
class Reflecting extends ReflectingElement {
  readonly values = new Map<string, string>();

  override getAttribute(name: string): string | null {
    return this.values.get(name) ?? null;
  }
  override setAttribute(name: string, value: string): void {
    this.values.set(name, value);
  }
  override removeAttribute(name: string): void {
    this.values.delete(name);
  }
}

describe('properties of <voxlane-diarizer>', () => {
  it('reflect its attributes', () => {
    const element = new Reflecting();
    Object.assign(element, { src: 'a.wav', preset: 'fast', speakers: 3, modelsBase: 'm/', theme: 'dark' });
    expect(Object.fromEntries(element.values)).toEqual({ src: 'a.wav', preset: 'fast', speakers: '3', 'models-base': 'm/', theme: 'dark' });
    expect([element.speakers, element.minSpeakers, element.theme, element.backend]).toEqual([3, null, 'dark', 'auto']);
  });

  it.each(['src', 'preset', 'speed', 'speakers', 'minSpeakers', 'maxSpeakers', 'minDurationOn', 'minDurationOff', 'track', 'sampleRate', 'backend', 'modelsBase', 'theme'])(
    'remove their attribute when a framework sets %s to undefined',
    (name) => {
      const element = new Reflecting();
      Reflect.set(element, name, 2);
      expect(element.values.size).toBe(1);
      Reflect.set(element, name, undefined);
      expect(element.values.size).toBe(0);
    },
  );
});
