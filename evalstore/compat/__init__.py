"""The calls of other tools, answered by a store."""
