"""Commands of the library."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import click

from services.models.inference.release import SHIPPED, component_names


@click.command("predict")
@click.argument("component")
@click.argument("request", type=click.File("r"), required=False)
@click.option("--example", help="Use a stored example's request instead of a file.")
def predict_command(component: str, request: Any, example: str | None) -> None:
    """Ask COMPONENT for a prediction. REQUEST is a JSON file (or - for standard input)."""
    from services.models.inference.predict import predict
    from services.models.inference.release import open_release
    from services.models.inference.sessions import load

    release = load(open_release([SHIPPED], component))
    if request is None:
        examples = {each["name"]: each for each in release.about.examples}
        if example is None or example not in examples:
            raise click.UsageError(f"give a REQUEST file or --example, one of: {', '.join(examples)}")
        asked = examples[example]["request"]
    else:
        asked = json.load(request)
    click.echo(json.dumps(predict(release, asked, "zh"), ensure_ascii=False, indent=2))


@click.group("component")
def component_group() -> None:
    """Components: models and tools."""


@component_group.command("check")
@click.argument("names", nargs=-1)
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=SHIPPED)
def check(names: tuple[str, ...], root: Path) -> None:
    """Check components (default: all): schema, ranges, card, figures, the model file, and that the examples give their
    answers. The platform checks by the same rules."""
    from services.models.logic import checking

    found = 0
    for name in names or component_names([root]):
        for finding in checking.findings([root], name):
            click.echo(f"{name}: {finding.rule}: {finding.place}: {finding.message}")
            found += 1
    if found:
        raise click.ClickException(f"{found} findings")
    click.echo("in order")


@component_group.command("init")
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "model", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--name", help="Of the component (default: the model file's).")
@click.option("--root", type=click.Path(file_okay=False, path_type=Path), default=Path("components"), show_default=True)
@click.option("--target", default="", help="Column of true values (default: the one column too many).")
@click.option("--features", default="", help="Columns in the model's order, with commas between.")
def init(data: Path, model: Path, name: str | None, root: Path, target: str, features: str) -> None:
    """Begin a component from an ONNX model and DATA, a CSV or XLSX of its inputs.

    Units, ranges and examples are taken from the data; what could not be known is marked 请确认 / please confirm.
    """
    from services.models.logic import beginning

    chosen = name or re.sub(r"[^a-z0-9]+", "-", model.stem.lower()).strip("-")
    columns = [each.strip() for each in features.split(",") if each.strip()]
    begun = beginning.begin(root, chosen, model, data, target, columns)
    for note in begun.notes:
        click.echo(note)
    click.echo(f"{begun.folder}: 请确认 / please confirm, then: zhigai component check {chosen} --root {root}")


@component_group.command("publish")
@click.argument("name")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--to", "url", default="http://127.0.0.1:8080", show_default=True, help="Address of the platform.")
@click.option("--key-file", type=click.File("r"), required=True, help="File that holds the key; `-` to type it.")
def publish(name: str, root: Path, url: str, key_file: Any) -> None:
    """Publish the newest release of component NAME under --root: checked here first, then by the platform."""
    from services.models.logic import sending

    for line in sending.publish(root, name, url, key_file.read().strip()):
        click.echo(line)


@click.command()
@click.argument("component")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--history", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Rows before FILE.")
def evaluate(component: str, file: Path, history: Path | None) -> None:
    """Score COMPONENT on a labelled CSV by its card's protocol; JSON to standard output."""
    from services.models.logic.evaluate import evaluate as score

    click.echo(json.dumps(score(component, file, history), ensure_ascii=False, indent=2))


@click.command()
@click.argument("component")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Or ZHIGAI_DATA_DIR.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=SHIPPED, show_default=False)
def train(component: str, data_dir: Path | None, out: Path) -> None:
    """Make a shipped model's release anew from its data set."""
    os.environ["OMP_NUM_THREADS"] = "1"
    from services.models.training.make import MAKERS, make
    from shared.settings import Settings

    found = data_dir or Settings.load().data_dir
    if found is None:
        raise click.UsageError("give --data-dir or set ZHIGAI_DATA_DIR")
    if component not in MAKERS:
        raise click.UsageError(f"no training code for {component}; known: {', '.join(MAKERS)}")
    click.echo(str(make(component, found, out)))


COMMANDS: list[click.Command] = [predict_command, component_group, evaluate, train]
