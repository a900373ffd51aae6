"""Numbers of system calls, as (x86_64, aarch64), from Linux' asm/unistd_64.h and asm-generic/unistd.h.

None: the architecture does not have the call.
"""

Numbers = tuple[int | None, int | None]

# Nothing newer is known here; a kernel's later calls look as if it did not have them.
LAST_KNOWN = 450  # set_mempolicy_home_node

# An agent that is loaded and plays needs none of these. What they could do is said per group.
DENIED: dict[str, dict[str, Numbers]] = {
    "network, and sockets of other programs": {
        "socket": (41, 198),
        "socketpair": (53, 199),
        "connect": (42, 203),
        "bind": (49, 200),
        "listen": (50, 201),
        "accept": (43, 202),
        "accept4": (288, 242),
        "sendto": (44, 206),
        "sendmsg": (46, 211),
        "sendmmsg": (307, 269),
        "recvmsg": (47, 212),
        "recvmmsg": (299, 243),
    },
    "other processes": {
        "ptrace": (101, 117),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "process_madvise": (440, 440),
        "process_mrelease": (448, 448),
        "kcmp": (312, 272),
        "pidfd_open": (434, 434),
        "pidfd_getfd": (438, 438),
        "pidfd_send_signal": (424, 424),
        "get_robust_list": (274, 100),
        "sched_setaffinity": (203, 122),
        "sched_setscheduler": (144, 119),
        "sched_setparam": (142, 118),
        "sched_setattr": (314, 274),
        "setpriority": (141, 140),
        "ioprio_set": (251, 30),
        "migrate_pages": (256, 238),
        "move_pages": (279, 239),
    },
    "large parts of the kernel, often with holes": {
        "perf_event_open": (298, 241),
        "bpf": (321, 280),
        "userfaultfd": (323, 282),
        "io_uring_setup": (425, 425),
        "io_uring_enter": (426, 426),
        "io_uring_register": (427, 427),
        "io_setup": (206, 0),
        "io_submit": (209, 2),
        "add_key": (248, 217),
        "request_key": (249, 218),
        "keyctl": (250, 219),
        "lookup_dcookie": (212, 18),
        "modify_ldt": (154, None),
        "personality": (135, 92),
        "uselib": (134, None),
        "nfsservctl": (180, 42),
        "vhangup": (153, 58),
        "syslog": (103, 116),
    },
    "another view of files": {
        "mount": (165, 40),
        "umount2": (166, 39),
        "mount_setattr": (442, 442),
        "fsopen": (430, 430),
        "fsconfig": (431, 431),
        "fsmount": (432, 432),
        "fspick": (433, 433),
        "move_mount": (429, 429),
        "open_tree": (428, 428),
        "pivot_root": (155, 41),
        "chroot": (161, 51),
        "unshare": (272, 97),
        "setns": (308, 268),
        "name_to_handle_at": (303, 264),
        "open_by_handle_at": (304, 265),
        "fanotify_init": (300, 262),
        "fanotify_mark": (301, 263),
    },
    "changes of files that Landlock does not ask about": {
        "chmod": (90, None),
        "fchmod": (91, 52),
        "fchmodat": (268, 53),
        "chown": (92, None),
        "fchown": (93, 55),
        "lchown": (94, None),
        "fchownat": (260, 54),
        "setxattr": (188, 5),
        "lsetxattr": (189, 6),
        "fsetxattr": (190, 7),
        "removexattr": (197, 14),
        "lremovexattr": (198, 15),
        "fremovexattr": (199, 16),
        "utime": (132, None),
        "utimes": (235, None),
        "futimesat": (261, None),
        "utimensat": (280, 88),
        "truncate": (76, 45),
        "mknod": (133, None),
        "mknodat": (259, 33),
    },
    "memory that no limit counts": {
        "memfd_create": (319, 279),
        "memfd_secret": (447, 447),
        "shmget": (29, 194),
        "shmat": (30, 196),
        "shmctl": (31, 195),
        "msgget": (68, 186),
        "msgsnd": (69, 189),
        "msgctl": (71, 187),
        "semget": (64, 190),
        "semctl": (66, 191),
        "mq_open": (240, 180),
        "mq_unlink": (241, 181),
    },
    "the machine": {
        "quotactl": (179, 60),
        "quotactl_fd": (443, 443),
        "swapon": (167, 224),
        "swapoff": (168, 225),
        "reboot": (169, 142),
        "kexec_load": (246, 104),
        "kexec_file_load": (320, 294),
        "init_module": (175, 105),
        "finit_module": (313, 273),
        "delete_module": (176, 106),
        "acct": (163, 89),
        "settimeofday": (164, 170),
        "clock_settime": (227, 112),
        "clock_adjtime": (305, 266),
        "adjtimex": (159, 171),
        "sethostname": (170, 161),
        "setdomainname": (171, 162),
        "iopl": (172, None),
        "ioperm": (173, None),
    },
}

# Not needed either once the program runs, but on the way there.
DENIED_AT_LAST: dict[str, Numbers] = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}

# Nor what makes a process of one's own, or a file without a name: it would fill a disk, and no folder would show it.
# Renaming stays, because files are written whole by it; what it replaces has no name either (see `tiers`).
DENIED_ALONE: dict[str, Numbers] = {
    "fork": (57, None),
    "vfork": (58, None),
    "unlink": (87, None),
}

# Their arguments lie in memory, where a filter cannot look; the C library does without them.
NOT_THERE: dict[str, Numbers] = {"clone3": (435, 435), "openat2": (437, 437)}

CLONE: Numbers = (56, 220)
FCNTL: Numbers = (72, 25)
IOCTL: Numbers = (16, 29)
OPEN: Numbers = (2, None)
OPENAT: Numbers = (257, 56)
PRLIMIT64: Numbers = (302, 261)
TGKILL: Numbers = (234, 131)
UNLINKAT: Numbers = (263, 35)
