"""What the command brings along before it knows what it shall do: little, so that help and completion are quick."""

import subprocess
import sys

import pytest

HEAVY = ("boto3", "botocore", "httpx", "pynamodb", "aws_lambda_powertools")
LOOK = f"""
import sys
from typer.testing import CliRunner
from renderbell_cli.main import app
done = CliRunner().invoke(app, sys.argv[1:])
assert done.exit_code in (0, 2), done.output
print(*[name for name in {HEAVY} if name in sys.modules])
"""


INTERRUPTED = """
import sys
class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Impatient())
from renderbell_cli.__main__ import main
main()
"""


def test_ctrl_c_while_it_is_being_imported_ends_it_quietly() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("words", ["--help", "videos --help", "account set --help", "videos --status bogus", "local --help"])
def test_what_needs_no_stack_imports_nothing_that_speaks_to_one(words: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOOK, *words.split()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
