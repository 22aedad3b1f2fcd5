"""What is known of GitHub: its events, the checkout, its API, and the files that a step writes for it."""
