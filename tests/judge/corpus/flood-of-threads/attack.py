import threading


def attack(_judge, _aims):
    threading.stack_size(64 * 1024)
    done = threading.Event()
    try:
        for _ in range(5000):
            threading.Thread(target=done.wait, daemon=True).start()
    except RuntimeError:
        pass
