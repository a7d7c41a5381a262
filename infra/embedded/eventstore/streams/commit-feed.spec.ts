import type { Writer } from '../storage/writer';
import { CommitFeed } from './commit-feed';

/** Longer than between two wakes. */
const WHILE = 100;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

type Commits = (...streams: string[]) => void;

/** A feed of commits that are only told of, and what follows when the turn of the event loop ends as well. */
function aFeed(): { feed: CommitFeed; tell: Commits; commit: Commits } {
  let listener!: (streams: Iterable<string>) => void;
  const writer = { onCommit: (given: typeof listener) => (listener = given) } as unknown as Writer;
  const feed = new CommitFeed(writer);
  const tell: Commits = (...streams) => streams.forEach((stream) => listener([stream]));
  const commit: Commits = (...streams) => {
    tell(...streams);
    jest.advanceTimersByTime(0);
  };
  return { feed, tell, commit };
}

it('wakes who follows everything at once after a rest, and once for all commits that follow each other', () => {
  const { feed, commit } = aFeed();
  const wake = jest.fn();
  feed.watch('all', wake);
  commit('one');
  expect(wake).toHaveBeenCalledTimes(1);
  commit('two', 'three', 'four');
  expect(wake).toHaveBeenCalledTimes(1);
  jest.advanceTimersByTime(WHILE);
  expect(wake).toHaveBeenCalledTimes(2);
  commit('five');
  expect(wake).toHaveBeenCalledTimes(3);
});

it('wakes who follows a stream at once, by its commits alone', () => {
  const { feed, commit } = aFeed();
  const wake = jest.fn();
  const stop = feed.watch({ stream: 'one' }, wake);
  commit('one', 'two', 'one');
  expect(wake).toHaveBeenCalledTimes(2);
  stop();
  commit('one');
  expect(wake).toHaveBeenCalledTimes(2);
});

it('wakes nobody in the turn in which those who wrote are answered', () => {
  const { feed, tell } = aFeed();
  const woken: string[] = [];
  feed.watch('all', () => woken.push('all'));
  feed.watch({ stream: 'one' }, () => woken.push('stream'));
  tell('one');
  expect(woken).toEqual([]);
  jest.advanceTimersByTime(0);
  expect(woken).toEqual(['all', 'stream']);
});

it('wakes nobody who has left meanwhile', () => {
  const { feed, commit } = aFeed();
  const [left, stayed] = [jest.fn(), jest.fn()];
  const stop = feed.watch('all', left);
  feed.watch('all', stayed);
  commit('one', 'two');
  stop();
  jest.advanceTimersByTime(WHILE);
  expect([left, stayed].map(({ mock }) => mock.calls.length)).toEqual([1, 2]);
});
