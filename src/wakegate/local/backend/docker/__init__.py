"""A service that is a Docker container: engine -> image -> create -> start -> reach; events tell how it ends.

`engine.py` alone speaks to the daemon's client library, and alone is told when the daemon goes and comes back.
"""
