"""The verbs that bring runs into a store and out of it."""
