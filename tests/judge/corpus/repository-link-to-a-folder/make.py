def make(folder):
    (folder / "agent.zip").symlink_to("/")
