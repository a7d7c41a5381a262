import { CommandError } from '../errors';

const cache = new Map<string, RegExp>();

/**
 * A MongoDB (PCRE) pattern as a JavaScript one. Of the options, i, m and s mean the same; x removes white space and comments;
 * u is always on in the server.
 * @throws CommandError 51108 for other options and 51091 for patterns that JavaScript cannot compile.
 */
export function regexOf(pattern: string, options: string): RegExp {
  const key = `${options}/${pattern}`;
  const known = cache.get(key);
  if (known) return known;
  const regex = compile(pattern, options);
  if (cache.size > 500) cache.clear();
  cache.set(key, regex);
  return regex;
}

function compile(pattern: string, options: string): RegExp {
  const unknown = [...options].find((option) => !'imsxu'.includes(option));
  if (unknown) throw new CommandError(51108, `invalid flag in regex options: ${unknown}`);
  let source = options.includes('x') ? withoutComments(pattern) : pattern;
  let flags = [...new Set(options)].filter((option) => 'ims'.includes(option)).join('');
  const inline = /^\(\?([ims]+)\)/.exec(source);
  if (inline) {
    source = source.slice(inline[0].length);
    flags = [...new Set(flags + inline[1]!)].join('');
  }
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new CommandError(51091, `Regular expression is invalid: ${(error as Error).message}`);
  }
}

/** Extended syntax: white space and `# comments` outside of classes and escapes do not count. */
function withoutComments(pattern: string): string {
  return pattern.replace(/(\\.|\[(?:\\.|[^\]\\])*\])|\s+|#.*$/gm, (_, kept: string | undefined) => kept ?? '');
}
