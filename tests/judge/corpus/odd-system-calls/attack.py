import ctypes
import os

_CALLS = {
    "io_uring_setup": 425,
    "userfaultfd": 323,
    "bpf": 321,
    "perf_event_open": 298,
    "add_key": 248,
    "keyctl": 250,
    "kexec_load": 246,
    "init_module": 175,
    "open_by_handle_at": 304,
    "iopl": 172,
    "swapon": 167,
    "reboot": 169,
    "memfd_secret": 447,
    "pidfd_getfd": 438,
    "process_vm_writev": 311,
    "quotactl": 179,
    "fanotify_init": 300,
}


def attack(judge, _aims):
    if os.uname().machine != "x86_64":
        return
    call = ctypes.CDLL(None).syscall
    found = [name for name, number in _CALLS.items() if call(ctypes.c_long(number), *([ctypes.c_long(0)] * 5)) >= 0]
    if found:
        judge.tell(found)
