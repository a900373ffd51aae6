"""Read-only git over HTTP."""
