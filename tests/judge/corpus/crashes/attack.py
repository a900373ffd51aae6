import ctypes


def attack(_judge, _aims):
    ctypes.string_at(0)
