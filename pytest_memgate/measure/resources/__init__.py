"""What is alive beside memory: threads, tasks, processes and files, and where they were started."""
