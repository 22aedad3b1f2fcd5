"""Plugins of the processes that the gate starts for itself, loaded with `-p`. None is loaded in a user's run."""
