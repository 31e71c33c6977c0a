import { describe, expect, it } from 'vitest';
import { webAddress } from './fetch';

const BASE = 'https://example.org/page/';

describe('webAddress', () => {
  it.each([
    ['models/', 'https://example.org/page/models/'],
    ['/models', 'https://example.org/models'],
    ['//cdn.example/m/', 'https://cdn.example/m/'],
    ['http://localhost:8080/m', 'http://localhost:8080/m'],
    ['https://cdn.example/m', 'https://cdn.example/m'],
  ])('takes %s', (value, href) => {
    expect(webAddress(value, BASE)?.href).toBe(href);
  });

  it.each(['javascript:alert(1)', 'data:application/json,{}', 'blob:https://example.org/1', 'file:///etc/', 'ftp://example.org/m/', ' JavaScript:alert(1)', 'https://['])(
    'refuses %s',
    (value) => {
      expect(webAddress(value, BASE)).toBeNull();
    },
  );

  it('resolves relative addresses in a browser extension', () => {
    expect(webAddress('models/', 'chrome-extension://abc/page.html')?.href).toBe('chrome-extension://abc/models/');
  });
});
