"""Services, started, sent requests, and asked what they hold."""
