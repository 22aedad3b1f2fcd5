"""What a bundler wrote of its build, read into one layout: a reader for each bundler."""
