import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Problem, Problems } from './problems';
import { type Step, stepsOf, type Tell } from './progress';

export const LINES = 'application/x-ndjson';

/** One line of an answer to whoever wants to see how far it is; the last one is `result` or `problem`. */
export type AnswerLine<Result, Other = never> = Step<Result> | Other | { readonly problem: Problem };

/** How requests are answered that take long: with `Accept: application/x-ndjson` by lines that tell how far it is, else when it is done. */
@Injectable()
export class LongAnswers {
  constructor(private readonly problems: Problems) {}

  async answer<Result>(
    request: FastifyRequest,
    work: (tell: Tell) => Promise<Result>,
  ): Promise<Result | StreamableFile> {
    return wantsLines(request) ? this.lines(request, stepsOf(work)) : work(() => undefined);
  }

  /** What fails behind the first line can only be told in a line. */
  lines({ id: correlationId }: FastifyRequest, steps: AsyncIterable<object>): StreamableFile {
    const { problems } = this;
    async function* lines(): AsyncGenerator<string> {
      try {
        for await (const step of steps) yield `${JSON.stringify(step)}\n`;
      } catch (error) {
        yield `${JSON.stringify({ problem: problems.of(error, { correlationId }) })}\n`;
      }
    }
    return new StreamableFile(Readable.from(lines()), { type: LINES });
  }
}

export function wantsLines({ headers }: FastifyRequest): boolean {
  return Boolean(headers.accept?.includes(LINES));
}
