"""The monitor as a callback of transformers' ``Trainer``; importing this module needs transformers.

``MonitorCallback.attach(trainer, every=10, path="monitor.jsonl", thresholds=[...])`` before ``trainer.train()``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proofs_checks.errors import InputError
from proofs_checks.monitor.monitor import Monitor
from proofs_checks.monitor.thresholds import TOTALS, Threshold
from proofs_checks.output import versions

try:
    from transformers import TrainerCallback  # pyright: ignore[reportMissingImports]
except ImportError as error:
    raise InputError("the monitor's callback needs transformers: pip install transformers peft") from error

LOG = logging.getLogger("loraproofs.monitor")


class MonitorCallback(TrainerCallback):
    """Measures after every ``every``-th optimiser step.

    Each measurement is one line of ``path`` (JSON, appended; None: no file), and its totals go through ``trainer.log``
    where the callback was attached. Both happen on the world's process zero alone. Other processes measure only where a
    threshold stops, saves or projects, so that all of them do the same: their factors are the same.

    A threshold acts when it is crossed and was not at the measurement before; ``project`` whenever it is crossed.
    """

    def __init__(
        self,
        every: int = 10,
        path: str | Path | None = None,
        thresholds: Sequence[Threshold] = (),
        adapter: str | None = None,
    ) -> None:
        if every < 1:
            raise InputError(f"every must be 1 or more, not {every}")
        self.every, self.path, self.thresholds, self.adapter = every, path, tuple(thresholds), adapter
        self.monitor: Monitor | None = None
        self.trainer: Any = None
        self._over: set[Threshold] = set()

    @classmethod
    def attach(cls, trainer: Any, **options: Any) -> MonitorCallback:
        """Make one with these options and add it to the trainer, with ``trainer.log``."""
        made = cls(**options)
        made.trainer = trainer
        trainer.add_callback(made)
        return made

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Compute what is computed once."""
        if self._takes_part(state):
            self.monitor = Monitor(kwargs["model"], self.adapter)
            self._over = set()
            if state.is_world_process_zero:
                head = {"versions": versions(), "every": self.every, "adapter": self.monitor.adapter}
                limits = [[t.quantity, t.limit, t.action] for t in self.thresholds]
                self._append({"schema": "loraproofs/1", "command": "monitor", **head, "thresholds": limits})

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        """Measure, write, and act."""
        if self.monitor is None or state.global_step % self.every:
            return control
        measured = self.monitor.step(kwargs["model"], state.global_step)
        over = {t for t in self.thresholds if t.crossed(measured)}
        acting = [t for t in self.thresholds if t in over and (t not in self._over or t.action == "project")]
        self._over = over
        if state.is_world_process_zero:
            self._append({**measured, "crossed": [[t.quantity, t.limit, t.action] for t in acting]})
            self._log(measured, control)
        for threshold in acting:
            self._act(threshold, measured, state, control, kwargs["model"])
        return control

    def _takes_part(self, state: Any) -> bool:
        return state.is_world_process_zero or any(t.action != "warn" for t in self.thresholds)

    def _act(self, threshold: Threshold, measured: dict[str, Any], state: Any, control: Any, model: Any) -> None:
        if state.is_world_process_zero:
            LOG.warning(threshold.words(measured))
        if threshold.action == "stop":
            control.should_training_stop = True
        elif threshold.action == "save":
            control.should_save = True
        elif threshold.action == "project" and self.monitor is not None and measured["finite"]:
            self.monitor.project(model)

    def _log(self, measured: dict[str, Any], control: Any) -> None:
        if self.trainer is not None and measured["finite"]:
            names = (*TOTALS.values(), "heads_with_margin")
            found = {f"loraproofs/{name}": measured[name] for name in names}
            due = control.should_log  # a log takes this flag back, and the loss of this step would not be logged
            self.trainer.log({name: x for name, x in found.items() if x is not None})
            control.should_log = due

    def _append(self, row: dict[str, Any]) -> None:
        if self.path is None:
            return
        path = Path(self.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row, allow_nan=False) + "\n")
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror or error}; choose another place") from error
