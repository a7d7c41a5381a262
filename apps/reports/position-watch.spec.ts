import { Bell } from '../../infra/bell';
import { PositionWatch } from './position-watch';

const NEVER = 100_000_000;

describe('Who waits for a position', () => {
  it('given that it is reached already, then goes on at once', async () => {
    await new PositionWatch(() => Promise.resolve(5n), NEVER, new Bell()).reach(5n);
  });

  it('given that this process moves it, then is woken, also when it moved while they looked', async () => {
    const bell = new Bell();
    const looks = [
      { seen: 0n, meanwhile: () => void setImmediate(() => bell.ring()) },
      { seen: 0n, meanwhile: () => bell.ring() },
      { seen: 2n, meanwhile: () => undefined },
    ];
    const read = (): Promise<bigint> => {
      const { seen, meanwhile } = looks.shift()!;
      meanwhile();
      return Promise.resolve(seen);
    };
    await new PositionWatch(read, NEVER, bell).reach(2n);
  });

  it('given that others move it, then looks again and again', async () => {
    let looks = 0n;
    await new PositionWatch(() => Promise.resolve(looks++ / 2n), 1, new Bell()).reach(3n);
    expect(looks).toBe(7n);
  });
});
