"""Where baselines live: `.memgate/<environment>/<test file>.yaml`."""
