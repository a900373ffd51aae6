"""An agent's files from the Hub they lie on, at the commit that was handed in, into a folder of their own."""
