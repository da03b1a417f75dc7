"""The real Lambda handlers on virtual time: many environments at once, calls that are lost, invocations that die."""
