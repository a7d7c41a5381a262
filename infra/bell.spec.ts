import { Bell } from './bell';

const NEVER = 100_000_000;

describe('A bell', () => {
  const { signal } = new AbortController();

  it('given somebody who rests, when it is rung, then they are woken', async () => {
    const bell = new Bell();
    const resting = bell.rest(NEVER, bell.heard, signal);
    bell.ring();
    await resting;
  });

  it('given that it was rung while somebody looked, then they do not rest at all', async () => {
    const bell = new Bell();
    const heard = bell.heard;
    bell.ring();
    await bell.rest(NEVER, heard, signal);
  });

  it('given that another process rang, then those who rest are woken, and nobody is told that it was rung here', async () => {
    const bell = new Bell();
    const resting = bell.rest(NEVER, bell.heard, signal);
    bell.wake();
    await resting;
    expect(bell.rung).toBe(0);
  });

  it('given that nobody rings, then a rest ends by itself, or with the signal', async () => {
    const bell = new Bell();
    await bell.rest(1, bell.heard, signal);
    const stop = new AbortController();
    const resting = bell.rest(NEVER, bell.heard, stop.signal);
    stop.abort();
    await resting;
  });
});
