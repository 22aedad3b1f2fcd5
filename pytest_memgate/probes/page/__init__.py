"""Pages, loaded by Lighthouse CI in a real Chrome."""
