"""The way out and in under load: sample -> scale."""
