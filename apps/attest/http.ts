import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * By `node:http`: until `fetch` is ready for its first request takes a quarter of a second, as much as all else that a short command does.
 * @returns the answer as soon as its head is there; who does not want its body still reads it
 * @throws the error of the connection
 */
export async function request(url: URL, { method, headers, body }: HttpRequest = {}): Promise<IncomingMessage> {
  const protocol = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const sending = protocol.request(url, { method, headers });
  sending.end(body);
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  return answer;
}
