"""A running service: what it is sent, and what it says of its memory."""
