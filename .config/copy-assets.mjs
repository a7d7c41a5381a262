/** After `tsc`: puts what `nest-cli.json` calls assets, files or `folder/*.ending`, beside the compiled files, and nothing that is no longer there. */
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const { assets } = JSON.parse(readFileSync('nest-cli.json', 'utf8')).compilerOptions;
for (const { include, outDir } of assets) {
  const [folder, ending] = [dirname(include), basename(include).replace('*', '')];
  const isMeant = (name) => (include.includes('*') ? name.endsWith(ending) : name === ending);
  const files = readdirSync(folder).filter(isMeant);
  if (files.length === 0) throw new Error(`nest-cli.json names assets that are not there: ${include}`);
  const out = join(outDir, folder);
  for (const file of readdirSync(out).filter(isMeant)) if (!files.includes(file)) rmSync(join(out, file));
  for (const file of files) copyFileSync(join(folder, file), join(out, file));
}
