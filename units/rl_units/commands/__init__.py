"""One module a command: `add_arguments(parser)` declares its flags, `run(options)` runs it."""
