"""A small shop's web service: it takes orders and deliveries, and logs every request."""
