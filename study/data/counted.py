"""Numbers of things in a sentence."""


def counted(number: int, one: str, many: str = "") -> str:
    """``1 image``, ``2,000 images``; ``many`` where it is more than ``one`` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
