"""The import paths and calls of other libraries, over ours."""
