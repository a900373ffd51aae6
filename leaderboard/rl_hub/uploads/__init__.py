"""Large files on their way in: LFS, and what an uploaded content may be used for."""
