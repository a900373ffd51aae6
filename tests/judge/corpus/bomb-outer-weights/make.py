import zipfile

from judge_corpus_agents import genuine


def make(folder):
    path = genuine(folder).rebuilt()
    with zipfile.ZipFile(path) as old:
        data = old.read("data")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("data", data)
        with new.open("policy.pth", "w") as member:
            for _ in range(280):
                member.write(bytes(1_000_000))
