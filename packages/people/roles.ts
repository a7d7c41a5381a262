/**
 * The role that a job title stands for: its slug, so that `Senior Engineer` holds the role `senior-engineer`. The title is
 * looked up where the HRIS fact enters, and the role travels with the command.
 */
export function roleOfJobTitle(jobTitle: string): string {
  return jobTitle
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
