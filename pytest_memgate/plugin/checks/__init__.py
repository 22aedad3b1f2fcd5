"""What a project declares or calls: the items of memgate.yml, and the `memgate` fixture."""
