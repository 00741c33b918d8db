"""Where the command begins: what takes a second is imported where Ctrl-C is expected."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command."""
    try:
        from renderbell_cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
