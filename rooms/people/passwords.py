"""Passwords and PINs: argon2id away from the event loop, rules of complexity, and codes that people type."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rooms.refusals import Invalid

LONGEST = 256
"""Longest password that is hashed, in characters."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing that a reader of a printed slip could mistake."""

_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
_pool = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="argon2")
_COMMON = frozenset(
    {"", "password", "passw0rd", "qwerty", "qwertyuiop", "abc", "abcd", "admin", "iloveyou", "woaini", "sanke"}
)


async def hashed(secret: str) -> str:
    """The argon2id hash of a password or PIN. As many run at once as there are processors, 32 MiB each."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, secret)


async def matches(stored: str | None, secret: str) -> bool:
    """Whether the secret fits the hash. Without a hash the same work is done against a hash of nothing, and it never fits."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _verify, stored, secret)


def _verify(stored: str | None, secret: str) -> bool:
    if len(secret) > LONGEST:
        stored, secret = None, ""
    try:
        return _hasher.verify(stored or _nobody(), secret) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def require_good_password(password: str, login: str, minimum: int) -> None:
    """Raises `Invalid` with the rule broken: length, three kinds of characters, not the login, not a common one."""
    if len(password) < minimum or len(password) > LONGEST:
        raise Invalid("password_too_short", minimum=minimum)
    kinds = (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum())
    if sum(any(kind(c) for c in password) for kind in kinds) < 3:
        raise Invalid("password_too_simple")
    plain = password.lower()
    if len(login) >= 3 and login.lower() in plain:
        raise Invalid("password_has_login")
    if plain.strip("0123456789!@#$%&*._-") in _COMMON:
        raise Invalid("password_common")


def require_good_pin(pin: str) -> None:
    """Raises `Invalid` ``pin_malformed`` unless 4 to 8 digits, neither all alike nor counting up or down."""
    steps = {(int(b) - int(a)) for a, b in itertools.pairwise(pin)} if pin.isascii() and pin.isdigit() else {0}
    if not 4 <= len(pin) <= 8 or steps in ({0}, {1}, {-1}):
        raise Invalid("pin_malformed")


def new_password() -> str:
    """A first password to hand over: three groups, about 70 bits, always of three kinds."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(2)) + "-" + _tail()


def _tail() -> str:
    return "".join(secrets.choice("abcdefghjkmnpqrstvwxyz") for _ in range(4)) + str(secrets.randbelow(10))


def new_code() -> str:
    """A code to print, 60 bits: ``7K3M-9QXD-R2TV``."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))


def tidy_code(typed: str) -> str:
    """A typed code in its one form: upper case, O and I and L read as the digits they look like, no separators."""
    return typed.upper().translate(str.maketrans("OIL", "011", " -_\u2013\u2014")).strip()[:64]


def new_token() -> str:
    """A secret for a cookie or a link, 256 bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What the store keeps of a token or code. They are random, so a plain hash is enough."""
    return sha256(token.encode()).hexdigest()
