/**
 * `test` for every spec: one that lets the page break its Content-Security-Policy, ask another origin for anything, or
 * change sizes inside a ResizeObserver fails, whatever else it looks at.
 */
import { test as base, expect, type BrowserContext } from '@playwright/test';

/** Where the server of the tests has browsers report what broke the policy. */
export const POLICY_REPORTS = '/policy-report';

/** Begins the line that a page writes about an error of a ResizeObserver, which browsers report to the page alone. */
const RESIZE_ERROR = 'resize error:';

/** What the contexts of a worker's browser did that they may not. */
class Watch {
  private findings: string[] = [];
  /** Besides the server of the tests. */
  allowed: RegExp | null = null;

  constructor(private readonly origin: string) {}

  context(context: BrowserContext): void {
    // Pages and their workers alike. Of a violation in a worker nothing but the report is seen.
    context.on('request', (request) => {
      const { origin, pathname, protocol } = new URL(request.url());
      if (pathname === POLICY_REPORTS) this.findings.push(`violation: ${request.postData() ?? 'without a report'}`);
      if (!protocol.startsWith('http') || origin === this.origin || this.allowed?.test(origin)) return;
      this.findings.push(`request to ${request.url()}`);
    });
    void context.addInitScript((mark) => {
      addEventListener('error', ({ message }) => {
        if (message.includes('ResizeObserver')) console.error(mark, message);
      });
    }, RESIZE_ERROR);
    // Trusted Types are asked for by the pages' element alone, which cannot have reports sent.
    context.on('console', (message) => {
      if (message.text().startsWith(RESIZE_ERROR)) this.findings.push(message.text());
      if (/content security policy|trusted ?types|TrustedScript|TrustedHTML/i.test(message.text())) {
        this.findings.push(`violation: ${message.text()}`);
      }
    });
  }

  /** What was found since the last call. */
  take(): string[] {
    const { findings } = this;
    this.findings = [];
    return findings;
  }
}

interface Options {
  /** Origins that the specs of a file may ask besides the server: one that stands in for a hub. */
  readonly allowedOrigins: RegExp | null;
}

export const test = base.extend<Options & { guard: undefined }, { watch: Watch }>({
  allowedOrigins: [null, { option: true }],
  watch: [
    async ({ browser }, use, { project }) => {
      const watch = new Watch(new URL(project.use.baseURL!).origin);
      const see = (context: BrowserContext): void => {
        watch.context(context);
      };
      browser.contexts().forEach(see);
      // Also for those that a spec opens by itself.
      browser.on('context', see);
      await use(watch);
      browser.off('context', see);
    },
    { scope: 'worker', auto: true },
  ],
  guard: [
    async ({ watch, allowedOrigins }, use) => {
      watch.allowed = allowedOrigins;
      await use(undefined);
      expect(watch.take(), 'violations of the policy, requests to other origins, and errors of a ResizeObserver').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
export type { BrowserContext, Download, Locator, Page } from '@playwright/test';
