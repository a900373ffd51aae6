"""Signing in with a name and a password."""

from rl_hub.accounts import passwords, throttle, users
from rl_hub.database.engine import Database
from rl_hub.errors import Unauthorized


def sign_in(database: Database, name: str, password: str, address: str) -> users.User:
    """Checks a name and a password.

    The hash is computed between two transactions, never inside one: nobody else waits for it.

    Args:
        database: The Hub's database.
        name: The account's name, in any case.
        password: What the person typed.
        address: The network address that the attempt comes from.

    Raises:
        Unauthorized: If there is no such user or the password is another; the two take the same time and read the same.
        TooManyRequests: After too many failures with this name or from this address.
    """
    guesser = throttle.guesser(name, address)
    others = throttle.account(name), throttle.address(address)
    with database.write() as connection:
        throttle.reserve(connection, [guesser, *others])
        password_hash = users.find_password_hash(connection, name)
    if not passwords.verify(password_hash, password):
        raise Unauthorized("The name or the password is wrong.")
    with database.write() as connection:
        throttle.forget(connection, guesser)
        for subject in others:
            throttle.release(connection, subject)
        return users.get(connection, name)
