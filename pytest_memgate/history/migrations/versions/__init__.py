"""The versions of the store's tables."""
