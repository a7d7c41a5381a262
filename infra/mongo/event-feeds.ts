import type { RecordedEvent } from '../../packages/eventsourcing';
import type { CollectionFeed } from './collection-feed';

/** Several collections that are fed from one reading of the log. */
export class EventFeeds {
  private readonly byType = new Map<string, number[]>();

  constructor(
    readonly feeds: readonly CollectionFeed[],
    private readonly onApplied: (projection: string, events: number) => void = () => undefined,
  ) {
    for (const [index, { projection }] of feeds.entries()) {
      for (const type of new Set<string>(projection.handles)) {
        this.byType.set(type, [...(this.byType.get(type) ?? []), index]);
      }
    }
  }

  /** Documents that wait to be written. */
  get waiting(): number {
    return this.feeds.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  async prepare(): Promise<void> {
    await Promise.all(this.feeds.map((feed) => feed.prepare()));
  }

  async fold(events: readonly RecordedEvent[]): Promise<void> {
    const handled = this.feeds.map((): RecordedEvent[] => []);
    for (const event of events) for (const index of this.byType.get(event.type) ?? []) handled[index]!.push(event);
    const folding = this.feeds.map(async (feed, index) => {
      const mine = handled[index]!;
      if (mine.length === 0) return;
      await feed.fold(mine);
      this.onApplied(feed.projection.name, mine.length);
    });
    await Promise.all(folding);
  }

  /** Events may be folded meanwhile; see `CollectionFeed.flush`. */
  async flush(): Promise<void> {
    await Promise.all(this.feeds.map((feed) => feed.flush()));
  }

  forget(): void {
    for (const feed of this.feeds) feed.forget();
  }
}
