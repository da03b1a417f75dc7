"""The command line: one verb a file, put together in `main.py`, the only place that knows exit codes."""
