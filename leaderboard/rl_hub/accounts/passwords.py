"""Passwords: kept as Argon2id hashes, checked a few at a time.

Each hash takes 19 MiB and some 30 ms: one of the settings that OWASP's password storage cheat sheet gives for Argon2id
(m=19456 KiB, t=2, p=1).
"""

import base64
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rl_hub.errors import BadRequest

MEMORY_KIB, PASSES = 19_456, 2
SHORTEST, LONGEST = 8, 256
# A whole class that signs in at once takes turns. Threads of their own, because an allocator keeps what a thread has
# freed for the same thread: 19 MiB for every thread that ever computed a hash.
_HASHERS = ThreadPoolExecutor(2, thread_name_prefix="password")
_HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
# Letters and digits that are not taken for each other in print.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


# A well-formed hash of nothing: comparing with it takes as long as with a person's.
_NOBODYS = (
    f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1"
    f"${_base64(secrets.token_bytes(16))}${_base64(secrets.token_bytes(32))}"
)


def generate() -> str:
    """A new random password that can be read from paper and typed: 59 bits, as `xk7d-m2qh-tbn9`."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))


def check_password(password: str) -> None:
    """Accepts what can be a password.

    Raises:
        BadRequest: If it is too short or too long.
    """
    if len(password) < SHORTEST:
        raise BadRequest(f"The password is too short: take {SHORTEST} characters or more.")
    if len(password) > LONGEST:
        raise BadRequest(f"The password is too long: take {LONGEST} characters or less.")


def hash_password(password: str) -> str:
    """The hash of a password, with its salt and settings, for the database.

    This takes a while: do it before a transaction that writes, not inside.

    Raises:
        BadRequest: If `check_password` refuses it.
    """
    check_password(password)
    return _HASHERS.submit(_HASHER.hash, _normalised(password)).result()


def verify(password_hash: str | None, password: str) -> bool:
    """Whether this is the password of the hash.

    Args:
        password_hash: What the database holds; None if there is no such user or the user has no password. The answer
            is then no, and takes as long as any other.
        password: What the person typed.
    """
    if len(password) > LONGEST:
        return False
    try:
        _HASHERS.submit(_HASHER.verify, password_hash or _NOBODYS, _normalised(password)).result()
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _normalised(password: str) -> bytes:
    """The same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
