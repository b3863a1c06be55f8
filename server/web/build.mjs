// Builds the page into the Python package, or into the folder that PAGE_OUTPUT names. What lies under assets/ carries
// a hash of its content in its name, so browsers may keep it for ever. `--tests` builds the tests into build/ instead.
import { build } from 'esbuild';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { parse } from 'node:path';

const output = process.env.PAGE_OUTPUT ?? '../reconnectingpty_server/page';

async function buildPage() {
  await rm(output, { recursive: true, force: true });
  const built = await build({
    entryPoints: ['src/main.ts', 'src/icon.svg'],
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    splitting: true, // what is imported later is fetched later
    outdir: output,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    loader: { '.svg': 'copy' },
    legalComments: 'none', // all of it is in LICENSES.txt
    metafile: true,
  });
  const outputs = Object.entries(built.metafile.outputs).map(([path, output]) => ({
    url: `assets/${parse(path).base}`, ...output,
  }));
  const ending = (kind) => outputs.find(({ url }) => url.endsWith(kind)).url;
  const main = outputs.find(({ entryPoint }) => entryPoint === 'src/main.ts');
  // What the script begins by importing is fetched along with it, not after it.
  const needed = main.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => parse(path).base);
  const preloads = needed.map((name) => `<link rel="modulepreload" href="/assets/${name}">\n`).join('');
  const html = await readFile('src/index.html', 'utf8');
  await writeFile(
    `${output}/index.html`,
    html.replace('{{style}}', ending('.css')).replace('{{script}}', main.url).replace('{{icon}}', ending('.svg'))
      .replace('{{preloads}}\n', preloads),
  );
  await writeFile(`${output}/LICENSES.txt`, await licenses());
}

/** The licences of the packages that are in the bundle. */
async function licenses() {
  const names = Object.keys(JSON.parse(await readFile('package.json', 'utf8')).dependencies);
  const texts = names.map(async (name) => [name, await readFile(`node_modules/${name}/LICENSE`, 'utf8')]);
  return (await Promise.all(texts)).flat().join('\n\n');
}

async function buildTests() {
  await rm('build', { recursive: true, force: true });
  await mkdir('build');
  const tests = (await readdir('test')).filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`);
  await build({
    entryPoints: tests,
    outdir: 'build',
    bundle: true,
    platform: 'node',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
  });
}

await (process.argv.includes('--tests') ? buildTests() : buildPage());
