const LONGEST = 64;

/**
 * The role that a job title stands for: its slug, so that `Senior Engineer` holds the role `senior-engineer`. A title that leaves
 * nothing stands for `unmapped`. The title is looked up where the HRIS fact enters, and the role travels with the command.
 */
export function roleOfJobTitle(jobTitle: string): string {
  const slug = jobTitle
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, '');
  return slug || 'unmapped';
}
