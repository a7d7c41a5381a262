/** Error codes of ClickHouse that the door itself raises (src/Common/ErrorCodes.cpp). */
export const ErrorCode = {
  CANNOT_PARSE_INPUT: 27,
  BAD_ARGUMENTS: 36,
  CHECKSUM_DOESNT_MATCH: 40,
  NOT_IMPLEMENTED: 48,
  SYNTAX_ERROR: 62,
  UNKNOWN_COMPRESSION_METHOD: 89,
  UNKNOWN_SETTING: 115,
  READONLY: 164,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_IS_TOO_LARGE: 229,
  EMPTY_QUERY: 211,
  QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: 216,
  ABORTED: 236,
  CANNOT_DECOMPRESS: 271,
  ZLIB_INFLATE_FAILED: 354,
  INTO_OUTFILE_NOT_ALLOWED: 358,
  SESSION_NOT_FOUND: 372,
  SESSION_IS_LOCKED: 373,
  INVALID_SESSION_TIMEOUT: 374,
  QUERY_WAS_CANCELLED: 394,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  BAD_QUERY_PARAMETER: 457,
} as const;

/** What ClickHouse calls an exception: a number, a name and a sentence. */
export class ClickHouseException extends Error {
  override name = 'ClickHouseException';
  constructor(
    readonly code: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }

  /** One that the door raises itself. */
  static of(type: keyof typeof ErrorCode, message: string): ClickHouseException {
    return new ClickHouseException(ErrorCode[type], type, message);
  }

  /**
   * One that chdb reports as text: `Query failed: Code: 60. DB::Exception: ... (UNKNOWN_TABLE)`. It may nest the same
   * exception several times; one is kept.
   */
  static parse(text: string): ClickHouseException {
    const matched = /Code: (\d+)\. DB::Exception: ([\s\S]*)$/.exec(text);
    if (!matched) return new ClickHouseException(1002, 'UNKNOWN_EXCEPTION', text);
    const [, code = '1002', rest = ''] = matched;
    const nested = new RegExp(`^(?:Code: ${code}\\. DB::Exception: )+`);
    const named = /(?: ?(?:\(([A-Z][A-Z0-9_]+)\)|\(version [^)]*\)\.?|\.))+\s*$/.exec(rest);
    const type = /\(([A-Z][A-Z0-9_]+)\)/.exec(named?.[0] ?? '')?.[1] ?? 'UNKNOWN_EXCEPTION';
    const end = named?.[1] ? named.index : rest.length;
    return new ClickHouseException(Number(code), type, withoutFiles(rest.slice(0, end).replace(nested, '').trimEnd()));
  }

  /** The body of an answer, as ClickHouse words it. */
  format(version: string): string {
    const sentence = /[.!?]$/.test(this.message) ? this.message : `${this.message}.`;
    return `Code: ${this.code}. DB::Exception: ${sentence} (${this.type}) (version ${version} (official build))\n`;
  }
}

/**
 * The engine reads data from files and writes results to pipes that the client never named. And it names a token that it
 * does not understand in bare brackets, which the official client takes for the name of the exception; earlier versions
 * quoted it.
 */
function withoutFiles(message: string): string {
  return message
    .replace(/\s*INTO OUTFILE '[^']*' APPEND COMPRESSION 'none' FORMAT `[^`]*`\s*/g, '')
    .replace(/\s*FROM INFILE '[^']*' COMPRESSION '[^']*'/g, '')
    .replace(/:? ?\(in file\/uri [^)]*\)/g, '')
    .replace(/: While executing File: data for INSERT was parsed from file/g, ': data for INSERT was parsed from query')
    .replace(/(failed at position \d+) \(([^')][^)]*)\)/, "$1 ('$2')");
}

/** HTTP status by exception code: src/Server/HTTP/exceptionCodeToHTTPStatus.cpp. Everything else is 500. */
const STATUS: Record<number, readonly number[]> = {
  400: [6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676],
  401: [194],
  403: [192, 193, 497, 512, 516],
  404: [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511],
  408: [159],
  411: [381],
  413: [229],
  415: [779],
  501: [48],
  503: [76, 209, 439],
};
const statusOf = new Map(
  Object.entries(STATUS).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)])),
);

export function httpStatus({ code }: ClickHouseException): number {
  return statusOf.get(code) ?? 500;
}
