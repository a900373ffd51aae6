def make(folder):
    (folder / "agent.json").symlink_to("nowhere")
