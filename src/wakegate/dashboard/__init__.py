"""How a running gateway is looked at and asked for things: a Unix socket that speaks lines of JSON.

It reads through `operations.py` and can stop nothing on its own.
"""
