"""The one exception that users see as a line instead of a traceback."""


class FreefallError(Exception):
    """Something a user can mend: the message names the file, row or field and what was expected."""


class WarehouseBusyError(FreefallError):
    """Another run is writing; this one has not begun."""


class ChecksFailedError(FreefallError):
    """A table broke a critical check; nothing of it was kept and nothing was published."""
