"""Run the code cells of a notebook in one namespace, and keep what they show as their outputs.

``python docs/notebook.py docs/tour.ipynb`` refreshes a notebook. It needs no Jupyter, and so only
knows plain Python and plain text.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

Cell = dict[str, Any]
"""A cell as the notebook format 4.5 has it."""


def run_cell(source: str, namespace: dict[str, object]) -> list[Cell]:
    """Run one cell; what it prints and what its last expression is worth are its outputs."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)
    outputs: list[Cell] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        outputs.append({"data": data, "metadata": {}, "output_type": "execute_result"})
    return outputs


def run(cells: list[Cell]) -> list[Cell]:
    """Run all code cells, in order, in a namespace of their own; return them with new outputs."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    done, count = [], 0
    for cell in cells:
        if cell["cell_type"] != "code":
            done.append(cell)
            continue
        count += 1
        outputs = run_cell("".join(cell["source"]), namespace)
        for output in outputs:
            if output["output_type"] == "execute_result":
                output["execution_count"] = count
        done.append({**cell, "execution_count": count, "outputs": outputs})
    return done


def main(path: Path) -> None:
    """Run a notebook in its folder and write it back."""
    notebook = json.loads(path.read_text())
    with contextlib.chdir(path.parent):
        notebook["cells"] = run(notebook["cells"])
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
