import { describe, expect, it, vi } from 'vitest';
import { Scope } from './scope';

describe('Scope', () => {
  it('runs disposers once, in reverse order', () => {
    const order: number[] = [];
    const scope = new Scope();
    scope.add(() => order.push(1));
    scope.add(() => order.push(2));
    scope.dispose();
    scope.dispose();
    expect(order).toEqual([2, 1]);
    expect(scope.disposed).toBe(true);
  });

  it('removes listeners', () => {
    const scope = new Scope();
    const target = new EventTarget();
    const heard = vi.fn();
    scope.on(target, 'ping', heard);
    target.dispatchEvent(new Event('ping'));
    scope.dispose();
    target.dispatchEvent(new Event('ping'));
    scope.on(target, 'ping', heard);
    target.dispatchEvent(new Event('ping'));
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('disposes children with the parent, or earlier', () => {
    const parent = new Scope();
    const early = vi.fn();
    const late = vi.fn();
    const first = parent.child();
    first.add(early);
    parent.child().add(late);
    first.dispose();
    expect(early).toHaveBeenCalledTimes(1);
    expect(late).not.toHaveBeenCalled();
    parent.dispose();
    expect(early).toHaveBeenCalledTimes(1);
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('runs a disposer at once if added after the end', () => {
    const scope = new Scope();
    scope.dispose();
    const disposer = vi.fn();
    scope.add(disposer);
    expect(disposer).toHaveBeenCalledTimes(1);
  });

  it('removes a disposer without running it', () => {
    const scope = new Scope();
    const disposer = vi.fn();
    scope.add(disposer)();
    scope.dispose();
    expect(disposer).not.toHaveBeenCalled();
  });

  it('runs all disposers even if one throws', () => {
    const scope = new Scope();
    const other = vi.fn();
    scope.add(other);
    scope.add(() => {
      throw new Error('no');
    });
    expect(() => {
      scope.dispose();
    }).toThrow(AggregateError);
    expect(other).toHaveBeenCalledTimes(1);
  });
});
