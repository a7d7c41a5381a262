/** An error of ClickHouse: its code decides what the client throws. */
export class ClickHouseException extends Error {
  override name = 'ClickHouseException';

  /** @param type the error's name in capitals, as in `UNKNOWN_TABLE` */
  constructor(
    readonly code: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }

  /** The body that ClickHouse answers, which `@clickhouse/client` parses. */
  get body(): string {
    return `Code: ${this.code}. DB::Exception: ${this.message} (${this.type}) (version ${VERSION} (embedded))\n`;
  }

  /** HTTP status by error code, after `exceptionCodeToHTTPStatus` in ClickHouse's `Server/HTTP/exceptionCodeToHTTPStatus.cpp`. */
  get status(): number {
    return STATUS.find(([codes]) => codes.includes(this.code))?.[1] ?? 500;
  }
}

/** The ClickHouse that chdb 3.4 carries. */
export const VERSION = '26.7.3';

const STATUS: readonly (readonly [codes: readonly number[], status: number])[] = [
  [[194], 401],
  [[192, 193, 497, 516], 403],
  [[46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 336, 372], 404],
  [[6, 25, 26, 27, 36, 38, 41, 53, 62, 72, 117, 321, 376, 441, 456, 457], 400],
  [[159], 408],
  [[381], 411],
  [[161], 413],
  [[48], 501],
  [[76, 202, 209], 503],
];

const MESSAGE = /Code: (\d+)\. DB::Exception: ([\s\S]*?)\s*\(([A-Z][A-Z0-9_]*)\)/;

/** What chdb threw, as ClickHouse would have said it; undefined when it is no error of a query. */
export function exceptionFrom(error: unknown): ClickHouseException | undefined {
  if (error instanceof ClickHouseException) return error;
  const [, code, message, type] = MESSAGE.exec((error as Error).message) ?? [];
  return code ? new ClickHouseException(Number(code), type!, message!) : undefined;
}
