"""`zhigai search WORDS` as the portal searches, and `zhigai search eval FILE`: how good it is on judged queries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.settings import Settings
from zhigai.asking import Door, door

if TYPE_CHECKING:
    from services.gateway.search import evaluation


class WordsOrCommand(click.Group):
    """A group whose first argument is a command if it is one by name, and else a word to search for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = next((each for each in args if not each.startswith("-")), None)
        if args and args[0] not in ("--help", "-h") and named not in self.commands:
            args = ["words", *args]
        return super().parse_args(ctx, args)


@click.group(cls=WordsOrCommand)
def search() -> None:
    """Search solutions, articles, components and terms, as the portal does: `zhigai search 空压机费电`.

    `zhigai search eval FILE` measures it on judged queries; `zhigai search -- eval` searches for the word itself.
    """


@search.command("words", hidden=True)
@click.argument("words", nargs=-1, required=True)
@click.option("--type", "kind", help="solution, article, component, provider or term")
@click.option("--industry", help="Industry id such as dyeing")
@click.option("--size", default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The API's answer as it is.")
def search_words(words: tuple[str, ...], kind: str | None, industry: str | None, size: int, as_json: bool) -> None:
    """What is found, best first."""
    query = {"q": " ".join(words), "type": kind, "industry": industry, "size": size}
    with door(Settings.load()) as ask:
        found = ask("GET", "/api/v1/search", {name: value for name, value in query.items() if value is not None})
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if found["query"]["rewritten"] != found["query"]["text"]:
        click.echo(f"-> {found['query']['rewritten']}")
    for lead in found["leads"]:
        click.echo(f"=> {lead['title']}  {lead['url']}")
    for item in found["items"]:
        click.echo(f"{item['score']:8.3f}  {item['type']:<10} {item['title']}  {item['url']}")
    click.echo(f"{found['total']} in all")


@search.command("eval")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON, with every failure.")
@click.option("--clicks", is_flag=True, help="Also with results that were opened ranked higher, side by side.")
@click.option("--half", type=click.Choice(["all", "tuned", "kept"]), default="all", show_default=True)
def search_eval(file: Path, as_json: bool, clicks: bool, half: str) -> None:
    """nDCG@10, MRR@10, success@1/3/5 and zero results on the judged queries of FILE, and what failed.

    FILE is YAML with a list `queries`: `q`, `relevant` (id: grade 1 to 3), and `intent`, `industry`, `kind`, `kept`.
    """
    from services.gateway.search import evaluation

    try:
        judged = evaluation.read(file)
    except evaluation.BadJudgements as wrong:
        raise click.ClickException(str(wrong)) from None
    judged = [each for each in judged if half == "all" or each.kept == (half == "kept")]
    settings = Settings.load()
    found = {"as it is set": _report(settings, judged)}
    if clicks:
        found["with clicks"] = _report(settings.with_(click_ranking=True), judged)
        found["without clicks"] = _report(settings.with_(click_ranking=False), judged)
        del found["as it is set"]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for name, report in found.items():
        click.echo(name)
        click.echo(as_text(report))


def _report(settings: Settings, judged: Sequence[evaluation.Judged]) -> dict[str, Any]:
    from services.gateway.search import evaluation

    with door(settings) as ask:
        return evaluation.report(evaluation.outcomes(judged, _finding(ask)))


def _finding(ask: Door) -> evaluation.Find:
    from services.gateway.search import evaluation

    def find(text: str) -> tuple[list[str], str | None, int]:
        found = ask("GET", "/api/v1/search", {"q": text, "size": evaluation.DEPTH})
        rewritten = found["query"]["rewritten"]
        return (
            [evaluation.name_of(item) for item in found["items"]],
            rewritten if rewritten != text else None,
            found["total"],
        )

    return find


def as_text(report: dict[str, Any]) -> str:
    """The figures as a table and the failures as lines."""
    names = ("queries", "ndcg@10", "mrr@10", "success@1", "success@3", "success@5", "zero_results")
    lines = [f"{'':<24}" + "".join(f"{name:>14}" for name in names)]

    def line(title: str, figures: dict[str, float]) -> None:
        if figures["queries"]:
            lines.append(f"{title:<24}" + "".join(f"{figures[name]:>14}" for name in names))

    for title in ("all", "tuned", "kept"):
        line(title, report[title])
    for group in ("by_intent", "by_industry", "by_kind"):
        for value, figures in report[group].items():
            line(f"{group[3:]} {value}", figures)
    lines.append(f"not among the first three: {len(report['failures'])}")
    for each in report["failures"]:
        place = each["first"] or "-"
        lines.append(f"  {each['q']}  [{place}]  {', '.join(each['found'])}  wanted {', '.join(each['wanted'][:3])}")
    return "\n".join(lines)
