import { resolve } from 'node:path';

const variant = process.env.VARIANT;
const hashed = variant !== 'two' && variant !== 'targets';

// Nothing that a reader of sizes needs is left out: only what makes the files large, or different each time.
const short = {
  builtAt: false,
  chunkModules: false,
  errorStack: false,
  nestedModules: true,
  optimizationBailout: false,
  providedExports: false,
  timings: false,
  usedExports: false,
};

const one = (more) => ({
  mode: 'production',
  target: 'web',
  experiments: { css: true },
  output: {
    path: resolve('out'),
    filename: hashed ? '[name].[contenthash].js' : '[name].js',
    chunkFilename: hashed ? '[id].[contenthash:8].js' : 'chunk-[id].js',
  },
  performance: false,
  stats: short,
  ...more,
});

const configs = {
  base: one({ entry: './src/entry.js' }),
  grown: one({ entry: './src/entry.js' }),
  eager: one({ entry: './src/entry.js' }),
  mapped: one({ entry: './src/entry.js', devtool: 'hidden-nosources-source-map' }),
  two: one({
    entry: { entry: './src/entry.js', admin: './src/admin.js' },
    optimization: { runtimeChunk: 'single', splitChunks: { chunks: 'all', minSize: 0 } },
  }),
  shared: one({
    entry: { common: './src/board.js', entry: { import: './src/entry.js', dependOn: 'common' } },
  }),
  targets: ['screen', 'paper'].map((name) =>
    one({ name, entry: './src/entry.js', output: { path: resolve('out', name), filename: '[name].js' } }),
  ),
  // The preset lists modules by chunk only.
  verbose: one({ entry: './src/entry.js', stats: { ...short, preset: 'verbose', chunkModules: true, logging: false } }),
  terse: one({ entry: './src/entry.js', stats: 'errors-only' }),
  failed: one({ entry: './src/broken.js' }),
  collapsed: one({ entry: './src/entry.js', stats: { ...short, groupModulesByPath: true, groupAssetsByPath: true } }),
};

export default configs[variant];
