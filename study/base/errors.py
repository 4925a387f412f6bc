"""The one error that users are meant to read, and how others are quoted in it."""


class StudyError(Exception):
    """Something the user can put right: its text is one sentence that names the thing and the way out."""


def one_line(error: BaseException) -> str:
    """What ``error`` says, on one line and without a full stop, to stand inside a sentence; its kind where it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
