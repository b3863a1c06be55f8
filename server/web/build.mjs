// Builds the page into the Python package: the parts under assets/ carry their hashes in their names.
// `--tests` builds the tests into build/ instead.
import { build } from 'esbuild';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';

const output = process.env.PAGE_OUTPUT ?? '../reconnectingpty_server/page';

if (process.argv.includes('--tests')) {
  const tests = (await readdir('test')).filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`);
  await build({ entryPoints: tests, outdir: 'build', bundle: true, platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' } });
} else {
  await rm(output, { recursive: true, force: true });
  const built = await build({
    entryPoints: { main: 'src/main.ts', style: 'src/style.css' },
    entryNames: 'assets/[name]-[hash]',
    outdir: output,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    metafile: true,
  });
  const names = Object.keys(built.metafile.outputs).map((path) => path.replace(/^.*\/assets\//, 'assets/'));
  const find = (start, end) => names.find((name) => name.startsWith(`assets/${start}-`) && name.endsWith(end));
  const html = (await readFile('src/index.html', 'utf8'))
    .replace('{{style}}', find('style', '.css'))
    .replace('{{script}}', find('main', '.js'));
  await mkdir(output, { recursive: true });
  await writeFile(`${output}/index.html`, html);
  await writeFile(`${output}/icon.svg`, await readFile('src/icon.svg'));
}
