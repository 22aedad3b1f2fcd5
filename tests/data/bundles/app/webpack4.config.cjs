const { resolve } = require('path');

module.exports = {
  mode: 'production',
  entry: './src/entry.js',
  output: { path: resolve('out'), filename: '[name].[contenthash].js' },
  stats: {
    builtAt: false,
    chunkModules: false,
    optimizationBailout: false,
    providedExports: false,
    source: false,
    timings: false,
    usedExports: false,
  },
  module: { rules: [{ test: /\.css$/, use: './no-css.cjs' }] },
};
