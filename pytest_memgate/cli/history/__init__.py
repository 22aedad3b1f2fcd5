"""`memgate history …`: every metric over every commit."""
