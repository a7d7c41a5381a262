import type { AnswerLine } from '../../shared/long-answers';
import { ProblemError } from '../client';
import { UsageError } from '../data-folder';
import { progressBar, say } from '../terminal';

/**
 * The result that long work ends with, and a progress bar until then.
 * @param label what is being done, as `Verifying`
 * @param onOther gets the lines that tell neither of progress nor of the end
 * @throws ProblemError, or UsageError when the answer breaks off
 */
export async function withProgress<Result, Other extends object = never>(
  label: string,
  lines: AsyncIterable<AnswerLine<Result, Other>>,
  onOther: (line: Other) => unknown = () => undefined,
): Promise<Result> {
  let bar: ReturnType<typeof progressBar> | undefined;
  let shown = 0;
  let said: string | undefined;
  try {
    for await (const line of lines) {
      if ('result' in line) return line.result;
      if ('problem' in line) throw new ProblemError(line.problem);
      if (!('progress' in line)) {
        onOther(line);
        continue;
      }
      const { position, head, doing } = line.progress;
      if (doing !== undefined) {
        bar?.stop();
        bar = undefined;
        if (doing !== said) say(`${doing} ...`);
        said = doing;
        continue;
      }
      if (!bar) shown = 0;
      bar ??= progressBar(label, Number(head));
      const reached = Math.min(Number(position), Number(head));
      bar.advance(reached - shown);
      shown = reached;
    }
  } finally {
    bar?.stop();
  }
  throw new UsageError(`Attest ended before "${label}" had a result: try again.`);
}
