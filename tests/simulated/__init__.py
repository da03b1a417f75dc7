"""The real flows of `local` on virtual time: hours of traffic in milliseconds, each seed another order of things."""
