"""Write params.schema.json, which editors use for params.yaml, from the classes that read it (study/settings)."""

from study.base import atomic
from study.base.console import parser, run, say
from study.settings import schema


def main() -> None:
    """Command line: python -m tools.schema."""
    parser(__doc__, "schema", "tools").parse_args()
    atomic.write(schema.FILE, schema.text().encode())
    say(f"{schema.FILE} is that of the code.")


if __name__ == "__main__":
    run(main)
