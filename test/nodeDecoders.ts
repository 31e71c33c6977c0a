/** Why tests of compressed audio in Node are skipped; false if the optional package is installed. */
export const NO_NODE_DECODERS: string | false = await import('@napi-rs/webcodecs').then(
  () => false as const,
  () => 'no decoders for Node: npm install --no-save @napi-rs/webcodecs@1.3.1',
);
