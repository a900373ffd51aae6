"""Pure rules: what counts, apart from where it comes from and where it is kept."""
