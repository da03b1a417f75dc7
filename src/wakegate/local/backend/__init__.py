"""What runs a service on this machine, one file a kind: `process.py`."""
