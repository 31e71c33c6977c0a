/** What runs a function in a page: Playwright's page, and the drivers of `e2e/browsers`. */
export interface Evaluator {
  evaluate<Result, Request>(body: (request: Request) => Result | Promise<Result>, request: Request): Promise<Result>;
}

/** Playwright's page as an {@link Evaluator}: its own type describes what a page can hand out besides plain data. */
export function evaluatorOf(page: () => { evaluate(body: never, request: never): Promise<unknown> }): Evaluator {
  return {
    evaluate: <Result, Request>(body: (request: Request) => Result | Promise<Result>, request: Request) =>
      page().evaluate(body as never, request as never) as Promise<Result>,
  };
}
