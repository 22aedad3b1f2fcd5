"""The whole run: its verdict, its file, its comparison with others, its reports."""
