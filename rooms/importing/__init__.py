"""From files to a county: every mistake is found, with file, row and column, and a sentence that says how to mend it."""

from rooms.importing.findings import Finding
from rooms.importing.fingerprint import sha256_of
from rooms.importing.guard import Limits
from rooms.importing.reading import Reading, read_county

__all__ = ["Finding", "Limits", "Reading", "read_county", "sha256_of"]
