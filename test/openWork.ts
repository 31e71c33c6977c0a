/** Work that the test ends. `begun` gets its name when it starts. */
export function openWork(begun: string[], name: string): { work: () => Promise<string>; end: () => void; fail: () => void } {
  let end = (): void => undefined;
  let fail = (): void => undefined;
  const ended = new Promise<string>((resolve, reject) => {
    end = () => { resolve(name); };
    fail = () => { reject(new Error(name)); };
  });
  const work = (): Promise<string> => {
    begun.push(name);
    return ended;
  };
  return { work, end, fail };
}
