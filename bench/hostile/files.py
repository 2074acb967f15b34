"""Hostile files, laid where files are taken from: bombs, damage, garbage."""

import gzip
import json
import zlib

from bench.hostile.texts import MARK

BOMB_BYTES = 256 << 20


def hostile_files(model: str) -> dict[str, bytes]:
    """Build files by their keys: among the captured feedback, and among operators' imports."""
    contents = {
        "bomb": _bomb(b"a"),
        "bomb-of-lines": _bomb(b"{}\n"),
        "damaged": gzip.compress(b'{"model": "known"}\n' * 100)[:-20],
        "not-gzip": b"\x1f\x8b" + MARK.encode(),
        "bytes": bytes(range(256)) * 20,
        "one-long-line": b'{"x": "' + b"y" * (3 << 20) + b'"}\n',
        "deep": b"[" * 100_000 + b"]" * 100_000 + b"\n",
        "nan": b'{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": NaN}\n',
        "lines": json.dumps({"feedback_id": f"{MARK}\n", "prediction_id": "p", "name": "rating", "value": 1}).encode()
        + b"\n",
        "empty": b"",
        "surrogate": b'{"feedback_id": "\\ud800", "prediction_id": "p", "name": "rating", "value": 1}\n',
    }
    found = {f"feedback/date=2026-03-01/{name}": content for name, content in contents.items()}
    for name, content in contents.items():
        suffix = ".jsonl.gz" if content[:2] == b"\x1f\x8b" else ".jsonl"
        found[f"imports/model={model}/feedback/{name}{suffix}"] = content
        found[f"imports/model={model}/predictions/{name}{suffix}"] = content
    return found


def _bomb(unit: bytes) -> bytes:
    """Build a small file that becomes 256 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    portion = unit * ((1 << 20) // len(unit))
    return b"".join(packer.compress(portion) for _ in range(BOMB_BYTES // len(portion))) + packer.flush()
