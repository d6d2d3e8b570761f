"""
EmbeddedError
├── AlreadyRunning   another process holds the data directory
└── NotStarted       a server ended, or did not answer in time
"""


class EmbeddedError(Exception):
    """Something stands in the way of the embedded services; the message says what, where and what to do."""


class AlreadyRunning(EmbeddedError):
    pass


class NotStarted(EmbeddedError):
    pass
