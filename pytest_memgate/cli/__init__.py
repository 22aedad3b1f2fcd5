"""The memgate command."""
