def make(folder):
    assert not any(folder.iterdir())
