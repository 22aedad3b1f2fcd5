"""The only part that knows pytest."""
