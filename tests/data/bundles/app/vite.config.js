const two = process.env.VARIANT === 'two';

export default {
  build: {
    outDir: 'out',
    manifest: true,
    sourcemap: 'hidden',
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: two ? ['index.html', 'admin.html'] : ['index.html'],
      output: { sourcemapExcludeSources: true },
    },
  },
};
