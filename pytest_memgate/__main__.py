"""`python -m pytest_memgate`: the `memgate` command, where its script is not on PATH."""

from pytest_memgate.cli.main import main

if __name__ == "__main__":
    main()
