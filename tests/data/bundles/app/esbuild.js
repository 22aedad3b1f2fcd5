import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const variant = process.env.VARIANT;
const plain = variant === 'plain';

const { metafile } = await build({
  entryPoints: variant === 'two' ? ['src/entry.js', 'src/admin.js'] : ['src/entry.js'],
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: !plain,
  entryNames: plain ? '[name]' : '[name]-[hash]',
  chunkNames: plain ? 'chunks/[name]' : 'chunks/[name]-[hash]',
  outdir: 'out',
  metafile: true,
});
writeFileSync('metafile.json', JSON.stringify(metafile, null, 1));
