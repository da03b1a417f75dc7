"""What people see, in a real browser; skipped where none is installed."""
