from units.agents import hostile


def make(folder):
    path = hostile.write_zip(
        folder / "agent.zip", [("x\n\x1b[2J" + "y" * 3000, b""), ("data", b"{}"), ("policy.pth", b"")]
    )
    path.write_bytes(hostile.encrypted(path.read_bytes()))
