"""One verb a module, used by the plugin and by the command."""
