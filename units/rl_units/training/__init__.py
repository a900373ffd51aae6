"""Training with the Zoo, made visible and resumable.

`experiment` drives the Zoo, `checkpointing` saves and restores a run while it trains, `state` and `replay` say what is
saved, `checkpoint` how it lies on disk, `progress` and `threads` are what their names say.
"""
