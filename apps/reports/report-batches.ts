import { canonicalJson } from '../../packages/eventsourcing';
import type { ReportQueue } from './report-queue';

/** Managers whose reports are answered together. */
const LARGEST = 100;

interface Batch<Answer> {
  readonly managers: Set<string>;
  readonly answers: Promise<ReadonlyMap<string, Answer>>;
}

/**
 * Gathers what several managers ask alike while they wait for their turn: the same report about the people below each of them. The more are
 * waiting, the less work each of them is.
 */
export class ReportBatches<Question extends object, Answer> {
  /** Those that take more managers, by question. */
  private readonly open = new Map<string, Batch<Answer>>();

  /** @param answer for each of the managers */
  constructor(
    private readonly queue: ReportQueue,
    private readonly answer: (question: Question, managers: readonly string[]) => Promise<ReadonlyMap<string, Answer>>,
  ) {}

  /** @throws BusyError */
  async ask(question: Question, manager: string): Promise<Answer> {
    const key = canonicalJson(question);
    const open = this.open.get(key);
    const hasPlace = open && (open.managers.has(manager) || open.managers.size < LARGEST);
    const batch = hasPlace ? open : this.begin(key, question);
    batch.managers.add(manager);
    return (await batch.answers).get(manager)!;
  }

  private begin(key: string, question: Question): Batch<Answer> {
    const managers = new Set<string>();
    const close = (): void => {
      if (this.open.get(key) === batch) this.open.delete(key);
    };
    const answers = this.queue.enter(key).then(
      async (leave) => {
        close();
        try {
          return await this.answer(question, [...managers]);
        } finally {
          leave();
        }
      },
      (error: unknown) => {
        close();
        throw error;
      },
    );
    const batch = { managers, answers };
    this.open.set(key, batch);
    return batch;
  }
}
