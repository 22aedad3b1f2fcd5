"""memgate.yml and [tool.memgate]: one declaration of every key."""
