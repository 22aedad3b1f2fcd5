"""Page loads, measured by Lighthouse."""
