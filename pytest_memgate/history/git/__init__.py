"""What a history needs of git: the line of the default branch, and the ref that carries runs between CI jobs."""
