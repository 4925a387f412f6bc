"""The one error that users are meant to read."""


class StudyError(Exception):
    """Something the user can put right: its text is one sentence that names the thing and the way out."""
