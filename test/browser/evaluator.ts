/** Runs functions in a page. Implemented by Playwright's page and the drivers of `e2e/browsers`. */
export interface Evaluator {
  evaluate<Result, Request>(body: (request: Request) => Result | Promise<Result>, request: Request): Promise<Result>;
}

/** Playwright's page as an {@link Evaluator}. Its type also covers return values other than plain data. */
export function evaluatorOf(page: () => { evaluate(body: never, request: never): Promise<unknown> }): Evaluator {
  return {
    evaluate: <Result, Request>(body: (request: Request) => Result | Promise<Result>, request: Request) =>
      page().evaluate(body as never, request as never) as Promise<Result>,
  };
}
