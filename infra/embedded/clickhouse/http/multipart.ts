import { ClickHouseException } from '../errors';

/**
 * Fields of a `multipart/form-data` body. The official client sends query parameters that are too long for a URL so.
 * @throws ClickHouseException for a body that is none, and for files: tables of a request are not served
 */
export function readMultipart(contentType: string, body: string): [name: string, value: string][] {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const delimiter = `--${boundary?.[1] ?? boundary?.[2] ?? ''}`;
  const parts = boundary ? `\r\n${body}`.split(`\r\n${delimiter}`) : [];
  if (parts.length < 2 || !parts[parts.length - 1]!.startsWith('--')) {
    throw ClickHouseException.of('BAD_ARGUMENTS', 'The multipart body has no boundary or no end');
  }
  return parts.slice(1, -1).map((part) => {
    const [head = '', ...rest] = part.replace(/^\r\n/, '').split('\r\n\r\n');
    const [, name] = /^content-disposition:.*?[; ]name="([^"]*)"/im.exec(head) ?? [];
    if (name === undefined) throw ClickHouseException.of('BAD_ARGUMENTS', 'A part of the multipart body has no name');
    if (/^content-disposition:.*filename=/im.test(head)) {
      const message =
        'External tables in a multipart body are not served by the embedded engine: use a temporary table';
      throw ClickHouseException.of('NOT_IMPLEMENTED', message);
    }
    return [name, rest.join('\r\n\r\n')];
  });
}
