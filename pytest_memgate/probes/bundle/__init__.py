"""Bundles: what a bundler made, by its stats file or by globs."""
