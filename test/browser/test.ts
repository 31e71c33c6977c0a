/**
 * `test` for all specs. A spec fails if the page violates its Content-Security-Policy, sends a request to another origin, or
 * changes sizes inside a ResizeObserver.
 */
import { test as base, expect, type BrowserContext } from '@playwright/test';

/** Path to which browsers report policy violations. */
export const POLICY_REPORTS = '/policy-report';

/** Prefix of console lines about ResizeObserver errors, which browsers report only to the page. */
const RESIZE_ERROR = 'resize error:';

/** Collects violations in the contexts of a worker's browser. */
class Watch {
  private findings: string[] = [];
  /** Allowed origins besides the test server. */
  allowed: RegExp | null = null;

  constructor(private readonly origin: string) {}

  context(context: BrowserContext): void {
    // Covers pages and workers. A violation in a worker is only visible through its report.
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
    // Trusted Types are only required by the page's meta element, which does not support reports.
    context.on('console', (message) => {
      if (message.text().startsWith(RESIZE_ERROR)) this.findings.push(message.text());
      if (/content security policy|trusted ?types|TrustedScript|TrustedHTML/i.test(message.text())) {
        this.findings.push(`violation: ${message.text()}`);
      }
    });
  }

  /** Returns and clears the findings since the last call. */
  take(): string[] {
    const { findings } = this;
    this.findings = [];
    return findings;
  }
}

interface Options {
  /** Origins to which the specs of a file may send requests besides the test server, such as a fake hub. */
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
      // Also covers contexts opened by specs.
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
      expect(watch.take(), 'policy violations, requests to other origins, and ResizeObserver errors').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
export type { BrowserContext, Download, Locator, Page, Route } from '@playwright/test';
