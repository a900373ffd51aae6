"""What goes over the wire between an ML-Agents trainer and an environment; version 1.5.0 of the protocol."""
