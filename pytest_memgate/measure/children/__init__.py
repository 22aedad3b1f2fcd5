"""Python processes that a test starts: each traces itself, and the gate reads its file. No pytest, and no verdict."""
