/** What `verify-bundle.cjs` answers, which is handed to auditors as it stands and so is no TypeScript. */
export interface BundleVerdict {
  readonly ok: boolean;
  /** Where something does not hold, and what; null when everything holds. */
  readonly problem: { readonly where: string; readonly detail: string } | null;
  /** Whether one of the keys that were named has signed; the members of the manifest stand beside it. */
  readonly keyNamed?: boolean;
  readonly events?: number;
  readonly complete?: boolean;
  readonly personal?: boolean;
  readonly scope?: Readonly<Record<string, string>>;
  readonly seals?: number;
  readonly keys?: readonly string[];
}

/** RFC 8785. */
export function canonical(value: unknown): string;
/** @param trusted fingerprints of keys whose seals count */
export function verifyBundle(file: string, trusted?: readonly string[]): BundleVerdict;
/** The verdict for people. */
export function describe(verdict: BundleVerdict): string;
