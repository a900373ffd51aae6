def make(folder):
    for number in range(100):
        (folder / f"agent{number}.zip").touch()
