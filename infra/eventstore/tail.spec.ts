import { EventEmitter } from 'node:events';
import type { AllStreamSubscription, ResolvedEvent } from '@eventstore/db-client';
import { BatchWindow } from './batch-window';
import { FellBehindError, type Running, Tail } from './tail';

/** A tail whose subscriptions deliver what a test has them deliver. */
function aTail() {
  const starts: bigint[] = [];
  const end = jest.fn();
  let subscription!: EventEmitter;
  let tellCheckpoint!: (position: bigint) => void;
  const tail = new Tail((after, onCheckpoint): Running => {
    starts.push(after);
    tellCheckpoint = onCheckpoint;
    subscription = Object.assign(new EventEmitter(), { readableLength: 0 });
    return { subscription: subscription as AllStreamSubscription, end };
  });
  const deliver = (...positions: number[]): void => {
    for (const position of positions) subscription.emit('data', eventAt(position));
  };
  const fail = (error: Error): boolean => subscription.emit('error', error);
  const checkpoint = (position: number): void => tellCheckpoint(BigInt(position));
  return { tail, starts, end, deliver, fail, checkpoint };
}

function eventAt(position: number): ResolvedEvent {
  return { event: { position: { commit: BigInt(position) } } } as ResolvedEvent;
}

function aWindow(capacity = 100): BatchWindow {
  const window = new BatchWindow(capacity);
  window.caughtUp = true;
  return window;
}

/** Positions of what waits in a window. */
function taken(window: BatchWindow): number[] {
  return window.take().resolved.map(({ event }) => Number(event!.position!.commit));
}

it('feeds all who join from one subscription, each what comes behind where it was', () => {
  const { tail, starts, deliver } = aTail();
  const [first, second, ahead] = [aWindow(), aWindow(), aWindow()];
  expect(tail.join(first, 10n)).toBe(true);
  deliver(11, 12);
  expect(tail.join(second, 11n)).toBe(true);
  expect(tail.join(ahead, 14n)).toBe(true);
  deliver(13, 14, 15);
  expect(starts).toEqual([10n]);
  expect(taken(first)).toEqual([11, 12, 13, 14, 15]);
  expect(taken(second)).toEqual([12, 13, 14, 15]);
  expect(taken(ahead)).toEqual([15]);
});

it('does not let in who is before what it keeps', () => {
  const { tail, deliver } = aTail();
  const [first, early, late] = [aWindow(10_000), aWindow(), aWindow(10_000)];
  tail.join(first, 10n);
  expect(tail.join(early, 9n)).toBe(false);
  deliver(...Array.from({ length: 2_000 }, (_, n) => 11 + n));
  expect(tail.join(early, 1_009n)).toBe(false);
  expect(tail.join(late, 1_010n)).toBe(true);
  expect(taken(late)).toEqual(Array.from({ length: 1_000 }, (_, n) => 1_011 + n));
});

it('lets go who cannot keep up with as much as a batch may hold, and the others go on', async () => {
  const { tail, deliver, end } = aTail();
  const [slow, quick] = [aWindow(3), aWindow()];
  tail.join(slow, 10n);
  tail.join(quick, 10n);
  deliver(11, 12, 13, 14, 15);
  await slow.arrival();
  const { resolved, caughtUp } = slow.take();
  expect(resolved.map(({ event }) => event!.position!.commit)).toEqual([11n, 12n, 13n]);
  expect(caughtUp).toBe(false);
  await expect(slow.arrival()).rejects.toBeInstanceOf(FellBehindError);
  expect(taken(quick)).toEqual([11, 12, 13, 14, 15]);
  expect(end).not.toHaveBeenCalled();
});

it('gives nobody more than a batch may hold of what is kept', () => {
  const { tail, deliver } = aTail();
  const [first, small] = [aWindow(), aWindow(2)];
  tail.join(first, 10n);
  deliver(11, 12, 13, 14);
  expect(tail.join(small, 10n)).toBe(true);
  expect(taken(small)).toEqual([11, 12]);
});

it('tells of checkpoints behind where a reader was', async () => {
  const { tail, checkpoint } = aTail();
  const [first, ahead] = [aWindow(), aWindow()];
  tail.join(first, 10n);
  tail.join(ahead, 30n);
  checkpoint(20);
  await first.arrival();
  expect(first.take().checkpoint).toBe(20n);
  expect(ahead.take().checkpoint).toBeUndefined();
});

it('fails for all when its subscription does, and starts anew for the next', async () => {
  const { tail, starts, deliver, fail, end } = aTail();
  const [first, second] = [aWindow(), aWindow()];
  tail.join(first, 10n);
  tail.join(second, 10n);
  deliver(11);
  fail(new Error('away'));
  expect(taken(first)).toEqual([11]);
  for (const window of [first, second]) {
    window.take();
    await expect(window.arrival()).rejects.toThrow('away');
  }
  expect(end).toHaveBeenCalledTimes(1);
  expect(tail.join(aWindow(), 11n)).toBe(true);
  expect(starts).toEqual([10n, 11n]);
});

it('ends its subscription when the last has left', () => {
  const { tail, end, deliver } = aTail();
  const [first, second] = [aWindow(), aWindow()];
  tail.join(first, 10n);
  tail.join(second, 10n);
  tail.leave(first);
  expect(end).not.toHaveBeenCalled();
  tail.leave(second);
  expect(end).toHaveBeenCalledTimes(1);
  deliver(11);
  expect([taken(first), taken(second)]).toEqual([[], []]);
});
