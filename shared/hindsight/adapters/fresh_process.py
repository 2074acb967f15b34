"""A separate process for a saved artefact: nothing of its training is in memory, and nothing it does reaches ours."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hindsight.core.errors import UnusableArtifact
from hindsight.training.gate import smoke_run
from hindsight.training.gate.smoke_run import Rows, SmokeRun

# What an interpreter needs to start, and how many threads it may take, on which the time of an answer depends; no more:
# the child has no credentials, and no settings of the deployment.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "SYSTEMROOT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class FreshProcess:
    """A new interpreter for each run; ``seconds`` limits one run, its start included."""

    environment: Mapping[str, str]
    seconds: float = 120.0

    def __call__(self, content: bytes, digest: str, rows: Rows) -> SmokeRun:
        """Run an artefact in a separate process. Raises UnusableArtifact, also if that process dies."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / smoke_run.ARTIFACT).write_bytes(content)
            request = {"digest": digest, "rows": [dict(row) for row in rows]}
            (folder / smoke_run.REQUEST).write_text(json.dumps(request), encoding="utf-8")
            self._run(folder)
            answer = json.loads((folder / smoke_run.ANSWER).read_text(encoding="utf-8"))
        if "unusable" in answer:
            raise UnusableArtifact(answer["unusable"])
        return SmokeRun.from_json(answer)

    def _run(self, folder: Path) -> None:
        passed_on = {name: self.environment[name] for name in _PASSED_ON if name in self.environment}
        command = [sys.executable, "-m", smoke_run.__name__, str(folder)]
        try:
            subprocess.run(  # noqa: S603  our own interpreter and module
                command,
                cwd=folder,
                env={**passed_on, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.seconds,
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            raise UnusableArtifact(f"a fresh process did not answer within {self.seconds:g} seconds") from error
        except subprocess.CalledProcessError as error:
            raise UnusableArtifact(f"a fresh process ended with status {error.returncode}") from error
