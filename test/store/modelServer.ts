/** A local server for one file that can simulate faults. Runs in Node. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A version of the file. */
export interface Served {
  readonly bytes: Uint8Array;
  /** Entity tag; null sends none. */
  readonly tag: string | null;
}

/** Response to one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse, served: Served) => void;

/** Headers that let a cross-origin isolated page read the response. */
const CROSS_ORIGIN = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Range',
  'Access-Control-Expose-Headers': 'ETag, Content-Range, Retry-After',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

export class ModelServer {
  /** Responses to the next requests, one each; then {@link whole}. */
  readonly script: Answer[] = [];
  /** First requested byte of each request, 0 for the whole file. */
  readonly asked: number[] = [];
  /** Path of each request. */
  readonly paths: string[] = [];

  private constructor(
    private readonly server: Server,
    public served: Served,
  ) {}

  static async open(served: Served): Promise<ModelServer> {
    const server = createServer((request, response) => {
      opened.answer(request, response);
    });
    const opened = new ModelServer(server, served);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return opened;
  }

  /** Address with a trailing slash. */
  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }

  /** Clears recorded requests and scripted responses. */
  reset(): void {
    for (const list of [this.script, this.asked, this.paths]) list.length = 0;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(CROSS_ORIGIN)) response.setHeader(name, value);
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    this.asked.push(firstByte(request));
    this.paths.push(request.url ?? '');
    (this.script.shift() ?? whole)(request, response, this.served);
  }
}

const firstByte = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);

/** Starts the response with the whole file or the requested range; returns the bytes to send. */
function begin(start: number, response: ServerResponse, { bytes, tag }: Served): Uint8Array {
  const rest = bytes.subarray(start);
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', rest.length);
  if (tag !== null) response.setHeader('ETag', tag);
  if (start > 0) response.setHeader('Content-Range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  response.writeHead(start > 0 ? 206 : 200);
  return rest;
}

/** A correct response. */
export const whole: Answer = (request, response, served) => {
  response.end(begin(firstByte(request), response, served));
};

/** Sends a number of the requested bytes, then breaks the connection. */
export const cutAfter =
  (numBytes: number): Answer =>
  (request, response, served) => {
    const rest = begin(firstByte(request), response, served);
    response.write(rest.subarray(0, numBytes), () => {
      // Written data can still be buffered in this process, so wait until the client can read it.
      setTimeout(() => response.destroy(), 50);
    });
  };

/** Sends a number of the requested bytes, then nothing; -1 also withholds the headers. */
export const stallAfter =
  (numBytes: number): Answer =>
  (request, response, served) => {
    if (numBytes < 0) return;
    response.write(begin(firstByte(request), response, served).subarray(0, numBytes));
    response.flushHeaders();
  };

/** Sends the whole file regardless of the requested range. */
export const ignoreRange: Answer = (_request, response, served) => {
  response.end(begin(0, response, served));
};

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end('no');
  };

/** Status 200 with a web page, like a sign-in page or a fallback page for missing files. */
export const webPageAs =
  (contentType: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'Content-Type': contentType }).end('\n<!DOCTYPE html><html><body>Sign in</body></html>');
  };

/** Breaks every connection that requests a range, like a browser if the server forbids ranges for other origins. */
export const refuseRange: Answer = (request, response, served) => {
  if (firstByte(request) > 0) response.destroy();
  else whole(request, response, served);
};

/** Bytes without repeating pieces. */
export function noiseBytes(numBytes: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length: numBytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
