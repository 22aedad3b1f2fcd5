"""The steps of the GitHub Action. None of them measures."""
