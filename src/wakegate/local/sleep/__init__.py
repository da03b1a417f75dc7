"""The way to sleep: tick -> idle -> drain -> stop, or pause and then stop."""
